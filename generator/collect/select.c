#include "generator/collect/select.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum token { T_LPAREN, T_RPAREN, T_OR, T_AND, T_NOT, T_IDENT, T_EOF, T_EQUAL, T_STRING, T_COMMA };
static const char *const token_names[] = {
    [T_LPAREN] = "left parenthesis", [T_RPAREN] = "right parenthesis", [T_OR] = "or",
    [T_AND] = "and",                 [T_NOT] = "not",                  [T_IDENT] = "identifier",
    [T_EOF] = "end of input",        [T_EQUAL] = "=",                  [T_STRING] = "string literal",
    [T_COMMA] = ",",
};

/* The expression in postfix order, so that its depth does not matter. */
struct op {
    enum token kind;              /* T_IDENT, T_NOT, T_AND, T_OR */
    struct str name;
    struct value_keyword *keywords;
    uint32_t n_keywords;
};
struct select {
    bool is_mark, is_empty, no_calls;       /* is_empty: nothing was asked for, all match */
    struct op *ops;
    size_t n, cap;
    struct arena arena;
};

struct scanner {
    struct select *s;
    struct str input;
    size_t at;                    /* the current token's place */
    enum token type;
    struct str value;
    size_t next;
    struct err *err;
};

/* Python counts characters, not bytes. */
static bool complain(struct scanner *x, size_t at, const char *what)
{
    size_t column = 1;
    for (size_t i = 0; i < at && i < x->input.n; i++)
        column += ((unsigned char)x->input.p[i] & 0xc0) != 0x80;
    return err_set(x->err, "Wrong expression passed to '-%c': %.*s: at column %zu: %s", x->s->is_mark ? 'm' : 'k',
                   (int)x->input.n, x->input.p, column, what);
}

/* Bytes from 0x80 on are taken as letters, as pyname_is_identifier does. */
static bool is_ident(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80 || (c && strchr("_:+-.[]\\/", c));
}

static bool take_string(struct scanner *x)
{
    char quote = x->input.p[x->at];
    struct str rest = str_slice(x->input, x->at + 1, x->input.n);
    size_t n = str_chr(rest, quote);
    char text[64];
    if (n == rest.n) {
        snprintf(text, sizeof text, "closing quote \"%c\" is missing", quote);
        return complain(x, x->at, text);
    }
    x->value = str_slice(rest, 0, n);
    size_t slash = str_chr(x->value, '\\');
    if (slash < x->value.n)
        return complain(x, x->at + slash + 1, "escaping with \"\\\" not supported in marker expression");
    x->type = T_STRING;
    x->next = x->at + n + 2;
    return true;
}

static bool advance(struct scanner *x)
{
    static const char singles[] = "()=,";
    static const enum token types[] = {T_LPAREN, T_RPAREN, T_EQUAL, T_COMMA};
    while (x->next < x->input.n && (x->input.p[x->next] == ' ' || x->input.p[x->next] == '\t'))
        x->next++;
    x->at = x->next;
    if (x->at >= x->input.n) {
        x->type = T_EOF;
        return true;
    }
    char c = x->input.p[x->at];
    const char *single = c ? strchr(singles, c) : NULL;
    if (single) {
        x->type = types[single - singles];
        x->next = x->at + 1;
        return true;
    }
    if (c == '"' || c == '\'')
        return take_string(x);
    size_t n = 0;
    while (x->at + n < x->input.n && is_ident(x->input.p[x->at + n]))
        n++;
    if (!n) {
        char text[32];
        snprintf(text, sizeof text, "unexpected character \"%c\"", c);
        return complain(x, x->at, text);
    }
    x->value = str_slice(x->input, x->at, x->at + n);
    x->next = x->at + n;
    x->type = str_eq(x->value, STR("or"))    ? T_OR
              : str_eq(x->value, STR("and")) ? T_AND
              : str_eq(x->value, STR("not")) ? T_NOT
                                             : T_IDENT;
    return true;
}

static bool reject(struct scanner *x, const char *expected)
{
    char text[160];
    snprintf(text, sizeof text, "expected %s; got %s", expected, token_names[x->type]);
    return complain(x, x->at, text);
}

static void emit(struct select *s, struct op op)
{
    s->ops = xgrow(s->ops, &s->cap, s->n + 1, sizeof *s->ops);
    s->ops[s->n++] = op;
}

/* ---- keyword arguments of a mark ---- */

/* One that does not fit is left open: a mark that has one cannot be told. */
static bool take_number(struct str s, struct value *out)
{
    struct str digits = str_starts(s, STR("-")) ? str_slice(s, 1, s.n) : s;
    int64_t n = 0;
    bool fits = true;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] < '0' || digits.p[i] > '9')
            return false;
        fits = fits && n <= (INT64_MAX - 9) / 10;
        n = fits ? n * 10 + (digits.p[i] - '0') : 0;
    }
    *out = (struct value){.kind = fits ? VALUE_INT : VALUE_UNKNOWN, .i = digits.n == s.n ? n : -n};
    return digits.n > 0;
}

static bool take_word(struct str s, struct value *out)
{
    bool is_true = str_eq(s, STR("True"));
    if (is_true || str_eq(s, STR("False")))
        *out = (struct value){.kind = VALUE_BOOL, .i = is_true};
    else if (str_eq(s, STR("None")))
        *out = (struct value){.kind = VALUE_NONE};
    else
        return false;
    return true;
}

/* As pytest does, the next token is scanned before this one is judged: its error would come first. */
static bool keyword_value(struct scanner *x, struct value *out)
{
    struct str s = x->value;
    size_t at = x->at;
    char text[128];
    if (x->type == T_STRING) {
        *out = (struct value){.kind = VALUE_STR, .text = s};
        return advance(x);
    }
    if (x->type != T_IDENT)
        return reject(x, "identifier");
    if (!advance(x))
        return false;
    if (take_number(s, out) || take_word(s, out))
        return true;
    snprintf(text, sizeof text, "unexpected character/s \"%.*s\"", (int)(s.n < 80 ? s.n : 80), s.p);
    return complain(x, at, text);
}

static bool is_identifier(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(":+-.[]\\/", s.p[i]))
            return false;
    return s.n && !(s.p[0] >= '0' && s.p[0] <= '9');
}

static bool is_reserved(struct str s)
{
    static const char *const words[] = {
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
        "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
        "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(s, str_z(words[i])))
            return true;
    return false;
}

/* What stands before the "=". */
static bool keyword_name(struct scanner *x, struct str *name)
{
    struct str s = x->value;
    size_t at = x->at;
    char text[128];
    int shown = (int)(s.n < 80 ? s.n : 80);
    if (x->type != T_IDENT)
        return reject(x, "identifier");
    if (!advance(x))
        return false;
    if (!is_identifier(s)) {
        snprintf(text, sizeof text, "not a valid python identifier %.*s", shown, s.p);
        return complain(x, at, text);
    }
    if (is_reserved(s)) {
        snprintf(text, sizeof text, "unexpected reserved python keyword `%.*s`", shown, s.p);
        return complain(x, at, text);
    }
    *name = s;
    return x->type == T_EQUAL || reject(x, "=");
}

static bool keywords(struct scanner *x, struct op *op)
{
    struct value_keyword *list = NULL;
    size_t n = 0, cap = 0;
    bool ok;
    do {
        list = xgrow(list, &cap, n + 1, sizeof *list);
        list[n] = (struct value_keyword){.value = {.kind = VALUE_UNKNOWN}};
        ok = advance(x) && keyword_name(x, &list[n].name) && advance(x) && keyword_value(x, &list[n].value);
        n++;
    } while (ok && x->type == T_COMMA);
    ok = ok && (x->type == T_RPAREN || reject(x, "right parenthesis")) && advance(x);
    if (ok) {
        op->keywords = arena_array(&x->s->arena, n, sizeof *list);
        memcpy(op->keywords, list, n * sizeof *list);
        op->n_keywords = (uint32_t)n;
    }
    free(list);
    return ok;
}

/* ---- the expression: operators wait on a stack ---- */

static int binding(enum token t)
{
    return t == T_OR ? 1 : t == T_AND ? 2 : t == T_NOT ? 3 : 0;
}

static void reduce(struct select *s, const enum token *stack, size_t *n, int above)
{
    while (*n && stack[*n - 1] != T_LPAREN && binding(stack[*n - 1]) >= above)
        emit(s, (struct op){.kind = stack[--*n]});
}

static bool operand(struct scanner *x)
{
    struct op op = {.kind = T_IDENT, .name = x->value};
    if (!advance(x))
        return false;
    if (x->type == T_LPAREN && !x->s->no_calls && !keywords(x, &op))
        return false;
    emit(x->s, op);
    return true;
}

static bool parse(struct scanner *x)
{
    enum token *stack = NULL;
    size_t n = 0, cap = 0;
    bool want = true, ok = advance(x); /* want: an operand is due */
    if (ok && x->type == T_EOF) {
        emit(x->s, (struct op){.kind = T_IDENT, .name = STR("")});
        return true;
    }
    while (ok && !(x->type == T_EOF && !want)) {
        bool push = false;
        if (want && x->type == T_IDENT) {
            ok = operand(x);
            want = false;
            continue;
        }
        if (want && (x->type == T_NOT || x->type == T_LPAREN)) {
            push = true;
        } else if (want) {
            ok = reject(x, "not OR left parenthesis OR identifier");
        } else if (x->type == T_AND || x->type == T_OR) {
            reduce(x->s, stack, &n, binding(x->type));
            push = want = true;
        } else if (x->type == T_RPAREN) {
            reduce(x->s, stack, &n, 1);
            if (n && stack[n - 1] == T_LPAREN)
                n--;
            else
                ok = reject(x, "end of input");
        } else {
            bool open = false;
            for (size_t i = 0; i < n; i++)
                open = open || stack[i] == T_LPAREN;
            ok = reject(x, open ? "right parenthesis" : "end of input");
        }
        if (push) {
            stack = xgrow(stack, &cap, n + 1, sizeof *stack);
            stack[n++] = x->type;
        }
        ok = ok && advance(x);
    }
    if (ok)
        reduce(x->s, stack, &n, 1);
    if (ok && n)
        ok = reject(x, "right parenthesis");
    free(stack);
    return ok;
}

struct select *select_new(struct str text, unsigned flags, struct err *err)
{
    bool is_mark = flags & SELECT_MARK;
    struct select *s = xmalloc(sizeof *s);
    while (!is_mark && text.n && strchr(" \t\n\r\f\v\x1c\x1d\x1e\x1f", text.p[0]) && text.p[0])
        text = str_slice(text, 1, text.n); /* as pytest strips it: columns count from there */
    *s = (struct select){.is_mark = is_mark, .no_calls = flags & SELECT_NO_CALLS, .is_empty = text.n == 0};
    struct str own = {arena_dup(&s->arena, text.p ? text.p : "", text.n), text.n};
    struct scanner x = {.s = s, .input = own, .err = err};
    bool ok = parse(&x);
    for (size_t i = 0; ok && !is_mark && i < s->n; i++) /* pytest says so when it first matches */
        if (s->ops[i].n_keywords)
            ok = err_set(err, "Keyword expressions do not support call parameters.");
    if (ok)
        return s;
    select_free(s);
    return NULL;
}

void select_free(struct select *s)
{
    if (!s)
        return;
    free(s->ops);
    arena_release(&s->arena);
    free(s);
}

/* ---- matching ---- */

static bool contains_folded(struct str text, struct str part)
{
    for (size_t i = 0; i + part.n <= text.n; i++)
        if (strncasecmp(text.p + i, part.p, part.n) == 0)
            return true;
    return false;
}

static int match_mark(const struct op *op, const struct select_item *item)
{
    int found = 0;
    for (uint32_t i = 0; i < item->n_marks; i++) {
        if (!str_eq(item->marks[i].text, op->name))
            continue;
        int all = 1;
        for (uint32_t k = 0; k < op->n_keywords; k++) {
            const struct value *v = value_keyword(&item->marks[i], op->keywords[k].name);
            int e = v ? value_equal(v, &op->keywords[k].value) : 0;
            all = all == 0 || e == 0 ? 0 : all < 0 || e < 0 ? -1 : 1;
        }
        if (all == 1)
            return 1;
        found = all < 0 ? -1 : found;
    }
    return found;
}

static int match_one(const struct select *s, const struct op *op, const struct select_item *item)
{
    if (!op->name.n)
        return 0;
    if (s->is_mark)
        return match_mark(op, item);
    for (uint32_t i = 0; i < item->n_names; i++)
        if (contains_folded(item->names[i], op->name))
            return 1;
    return 0;
}

int select_match(const struct select *s, const struct select_item *item)
{
    if (s->is_empty)
        return 1;
    signed char small[256], *stack = s->n <= sizeof small ? small : xmalloc(s->n);
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        const struct op *op = &s->ops[i];
        if (op->kind == T_IDENT) {
            stack[n++] = (signed char)match_one(s, op, item);
        } else if (op->kind == T_NOT) {
            stack[n - 1] = stack[n - 1] < 0 ? -1 : !stack[n - 1];
        } else {
            signed char b = stack[--n], a = stack[n - 1];
            bool decided = op->kind == T_AND ? a == 0 || b == 0 : a == 1 || b == 1;
            stack[n - 1] = decided ? op->kind == T_OR : a < 0 || b < 0 ? -1 : op->kind == T_AND;
        }
    }
    int result = n ? stack[0] : 0;
    if (stack != small)
        free(stack);
    return result;
}
