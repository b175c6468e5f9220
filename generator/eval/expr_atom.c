#include "generator/eval/expr_parse.h"

#include "generator/source/split.h"
#include "generator/source/token.h"

#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

/* One number's text without its underscores. False: too long, or an underscore that is not between digits. */
static bool copy_number(struct expr *x, char *out, size_t cap, bool *real)
{
    const char *start = x->p;
    bool prefixed = x->p + 1 < x->end && *x->p == '0' && is_word(x->p[1]) && strchr("xXoObB", x->p[1]);
    size_t n = 0;
    for (*real = false; x->p < x->end; x->p++) {
        char c = *x->p, before = x->p > start ? x->p[-1] : '\0';
        bool sign = (c == '+' || c == '-') && !prefixed && (before | 32) == 'e';
        if (!is_word(c) && !(c == '.' && !prefixed) && !sign)
            break;
        if (c == '_') {
            if (!is_word(before) || before == '_' || x->p + 1 >= x->end || !is_word(x->p[1]))
                return false;
            continue;
        }
        *real = *real || c == '.' || (!prefixed && (c | 32) == 'e');
        if (n + 1 >= cap)
            return false;
        out[n++] = c;
    }
    out[n] = '\0';
    return true;
}

static struct value integer(struct expr *x, const char *digits)
{
    int base = 10;
    if (*digits == '0' && digits[1]) {
        char c = (char)(digits[1] | 32);
        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
        if (base == 10 && digits[strspn(digits, "0")])
            return expr_fail(x); /* 017 is no Python 3 */
        digits += base == 10 ? 0 : 2;
    }
    int64_t v = 0;
    bool over = false;
    if (!*digits)
        return expr_fail(x);
    for (; *digits; digits++) {
        int d = is_digit(*digits) ? *digits - '0' : (*digits | 32) >= 'a' ? (*digits | 32) - 'a' + 10 : 99;
        if (d >= base || (unsigned char)*digits >= 0x80)
            return expr_fail(x);
        over = over || __builtin_mul_overflow(v, (int64_t)base, &v) || __builtin_add_overflow(v, (int64_t)d, &v);
    }
    return over ? expr_unknown() : expr_int(v);
}

static struct value read_number(struct expr *x)
{
    char text[400], *end;
    bool real;
    if (!copy_number(x, text, sizeof text, &real))
        return expr_fail(x);
    size_t n = strlen(text);
    bool prefixed = n > 1 && *text == '0' && strchr("xXoObB", text[1]);
    bool imaginary = n > 1 && !prefixed && (text[n - 1] | 32) == 'j';
    if (!imaginary && !real)
        return integer(x, text);
    text[n - imaginary] = '\0';
    if (strspn(text, "0123456789.eE+-") != strlen(text)) /* strtod reads more: hex, inf */
        return expr_fail(x);
    double f = strtod(text, &end);
    if (*end || end == text)
        return expr_fail(x);
    return x->skip ? expr_unknown() : imaginary ? expr_complex(x, 0, f) : expr_float(f);
}

/* ---- names ---- */

static bool is_builtin(struct str name)
{
    static const char *const names[] = {
        "abs", "aiter", "all", "anext", "any", "ascii", "bin", "bool", "breakpoint", "bytearray", "bytes", "callable",
        "chr", "classmethod", "compile", "complex", "delattr", "dict", "dir", "divmod", "enumerate", "eval", "exec",
        "filter", "float", "format", "frozenset", "getattr", "globals", "hasattr", "hash", "hex", "id", "input", "int",
        "isinstance", "issubclass", "iter", "len", "list", "locals", "map", "max", "memoryview", "min", "next",
        "object", "oct", "open", "ord", "pow", "print", "property", "range", "repr", "reversed", "round", "set",
        "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "type", "vars", "zip",
        "__import__", "__build_class__", "BaseException", "Exception", "KeyboardInterrupt", "SystemExit",
        "StopIteration", "StopAsyncIteration", "GeneratorExit", "BaseExceptionGroup", "ExceptionGroup", "Warning",
        "ArithmeticError", "AssertionError", "AttributeError", "BlockingIOError", "BrokenPipeError", "BufferError",
        "BytesWarning", "ChildProcessError", "ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError",
        "ConnectionResetError", "DeprecationWarning", "EOFError", "EncodingWarning", "FileExistsError",
        "FileNotFoundError", "FloatingPointError", "FutureWarning", "ImportError", "ImportWarning",
        "IndentationError", "IndexError", "InterruptedError", "IsADirectoryError", "KeyError", "LookupError",
        "MemoryError", "ModuleNotFoundError", "NameError", "NotADirectoryError", "NotImplementedError", "OSError",
        "OverflowError", "PendingDeprecationWarning", "PermissionError", "ProcessLookupError",
        "PythonFinalizationError", "RecursionError", "ReferenceError", "ResourceWarning", "RuntimeError",
        "RuntimeWarning", "SyntaxError", "SyntaxWarning", "SystemError", "TabError", "TimeoutError", "TypeError",
        "UnboundLocalError", "UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError",
        "UnicodeWarning", "UserWarning", "ValueError", "ZeroDivisionError"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (*names[i] == *name.p && expr_is(name, names[i]))
            return true;
    return false;
}

/* `from os import path` and `import pytest` give objects whose attributes are asked for by name; an
 * iterator that has a name may have been read before. */
static struct value bound(struct value v)
{
    bool sequence = v.kind == VALUE_LIST || v.kind == VALUE_TUPLE;
    return (sequence && v.i == EXPR_ITERATOR) || expr_is_generator(&v) ? expr_unknown() : v;
}

static struct value look_up(struct expr *x, struct str name)
{
    struct value v = expr_unknown();
    for (const struct expr_local *l = x->locals; l; l = l->next)
        if (str_eq(l->name, name))
            return l->value;
    if (expr_is(name, "None"))
        return (struct value){.kind = VALUE_NONE};
    if (expr_is(name, "True") || expr_is(name, "False"))
        return expr_bool(*name.p == 'T');
    if (x->env->name && x->env->name(x->env->ctx, name, &v) == EXPR_BOUND)
        return bound(v);
    if (expr_is(name, "Ellipsis") || expr_is(name, "NotImplemented"))
        return expr_plain(STR(""));
    if (expr_is(name, "IOError") || expr_is(name, "EnvironmentError"))
        name = STR("OSError");
    return is_builtin(name) ? expr_named(name) : expr_unknown();
}

static struct value read_name(struct expr *x)
{
    static const char *const keywords[] = {"if", "else", "for", "in", "is", "and", "or", "not", "yield", "await",
                                           "async", "import", "from", "as", "with", "def", "class", "return",
                                           "lambda", "assert", "del", "elif", "except", "finally", "global",
                                           "nonlocal", "pass", "raise", "try", "while", "break", "continue"};
    struct str w = expr_peek_word(x);
    if (!w.n)
        return expr_fail(x);
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (*keywords[i] == *w.p && expr_is(w, keywords[i]))
            return expr_fail(x);
    x->p += w.n;
    return x->skip ? expr_unknown() : look_up(x, w);
}

/* ---- comprehensions ---- */

/* Past a string, a comment, a word or one character; NULL when it is odd. */
static const char *step(const char *p, const char *end, int *depth)
{
    if (*p == '"' || *p == '\'')
        return token_string_end(p, end, false);
    if (*p == '#') {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        return nl ? nl : end;
    }
    if (is_word(*p)) {
        while (p < end && is_word(*p))
            p++;
        return p;
    }
    *depth += *p == '(' || *p == '[' || *p == '{' ? 1 : *p == ')' || *p == ']' || *p == '}' ? -1 : 0;
    return p + 1;
}

/* Is the word, or ":" outside of lambdas, in front of the next comma or closing bracket? */
static bool is_ahead(struct expr *x, const char *what)
{
    int depth = 0, lambdas = 0;
    const char *p = x->p;
    while (p && p < x->end && depth >= 0) {
        const char *start = p;
        if (*p == ',' && depth == 0)
            return false;
        p = step(p, x->end, &depth);
        struct str token = {start, p ? (size_t)(p - start) : 0};
        if (depth != 0)
            continue;
        lambdas += expr_is(token, "lambda");
        if (expr_is(token, ":") && lambdas > 0)
            lambdas--;
        else if (expr_is(token, what))
            return true;
    }
    return false;
}

bool expr_has_for(struct expr *x)
{
    return is_ahead(x, "for");
}

/* Names that one target binds: at most so many, in arrays on the stack. */
enum { MAX_TARGETS = 24 };
struct binder {
    struct expr_local locals[MAX_TARGETS];
    uint32_t n;
    const struct expr_local *outer;
};

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_word(s.p[i]))
            return false;
    return s.n > 0 && !is_digit(*s.p);
}

static bool bind(struct expr *x, struct binder *b, struct str target, const struct value *v, int depth);

static bool bind_parts(struct expr *x, struct binder *b, struct str target, const struct value *v, int depth)
{
    struct value *items = NULL, none = expr_unknown();
    struct str part;
    uint32_t n = 0, at = 0;
    bool known = v->kind != VALUE_UNKNOWN;
    if (known && !expr_iterate(x, v, &items, &n)) {
        known = false;
        if (v->kind != VALUE_EXTERNAL && v->kind != VALUE_NAMED && v->kind != VALUE_PLAIN && v->kind != VALUE_SET)
            return false;
    }
    while (split_next(&target, &part)) {
        if ((known && at >= n) || !bind(x, b, part, known ? &items[at] : &none, depth + 1))
            return false;
        at++;
    }
    return !known || at == n;
}

static bool bind(struct expr *x, struct binder *b, struct str target, const struct value *v, int depth)
{
    target = str_trim(target);
    if (is_name(target)) {
        if (b->n == MAX_TARGETS)
            return false;
        b->locals[b->n] = (struct expr_local){target, *v, b->n ? &b->locals[b->n - 1] : b->outer};
        b->n++;
        return true;
    }
    if (depth > 8 || !target.n)
        return false;
    if (split_find(target, ',') < target.n)
        return bind_parts(x, b, target, v, depth);
    char close = *target.p == '(' ? ')' : *target.p == '[' ? ']' : '\0';
    if (!close || target.p[target.n - 1] != close)
        return false; /* a starred name, an attribute, a subscript */
    struct str inner = str_slice(target, 1, target.n - 1);
    return close == ']' || split_find(inner, ',') < inner.n ? bind_parts(x, b, inner, v, depth)
                                                              : bind(x, b, inner, v, depth + 1);
}

/* Up to the `in` of "for targets in"; x->p is after it then. */
static bool read_targets(struct expr *x, struct str *targets)
{
    int depth = 0;
    const char *start = x->p;
    while (x->p < x->end) {
        struct str w = expr_peek_word(x);
        if (depth == 0 && expr_is(w, "in")) {
            *targets = (struct str){start, (size_t)(x->p - start)};
            x->p += 2;
            return true;
        }
        x->p += w.n;
        if (w.n || x->p >= x->end)
            continue;
        char c = *x->p++;
        if (!strchr("(),[]*", c) || !c)
            return false;
        depth += c == '(' || c == '[' ? 1 : c == ')' || c == ']' ? -1 : 0;
    }
    return false;
}

struct comprehension {
    struct expr *x;
    const char *element;
    bool dict;
    struct expr_items out;
};

static void run_clauses(struct comprehension *c);

static void add_element(struct comprehension *c)
{
    struct expr *x = c->x;
    x->p = c->element;
    expr_items_add(x, &c->out, expr_read(x));
    if (c->dict && expr_take(x, ":"))
        expr_items_add(x, &c->out, expr_read(x));
}

static void run_for(struct comprehension *c)
{
    struct expr *x = c->x;
    struct str targets;
    if (!read_targets(x, &targets)) {
        x->bad = true;
        return;
    }
    struct value v = expr_read_or(x), *items;
    const char *after = x->p;
    const struct expr_local *outer = x->locals;
    uint32_t n;
    if (x->bad || !expr_iterate(x, &v, &items, &n)) {
        c->out.unknown = true;
        return;
    }
    for (uint32_t i = 0; i < n && !x->bad && !c->out.unknown; i++) {
        struct binder b = {.outer = outer};
        if (++x->steps > EXPR_MAX_STEPS || !bind(x, &b, targets, &items[i], 0)) {
            c->out.unknown = true;
        } else {
            x->locals = b.n ? &b.locals[b.n - 1] : outer;
            x->p = after;
            run_clauses(c);
        }
        x->locals = outer;
    }
}

/* x->p is at a clause, or after the last one. */
static void run_clauses(struct comprehension *c)
{
    struct expr *x = c->x;
    if (expr_enter(x)) {
        if (expr_take_word(x, "for")) {
            run_for(c);
        } else if (expr_take_word(x, "if")) {
            struct value v = expr_read_or(x);
            int holds = value_truth(&v);
            c->out.unknown = c->out.unknown || holds < 0;
            if (holds == 1 && !x->bad)
                run_clauses(c);
        } else if (expr_take_word(x, "async")) {
            c->out.unknown = true;
        } else {
            add_element(c);
        }
    }
    x->depth--;
}

static void skip_clauses(struct expr *x)
{
    struct str targets;
    for (;;) {
        if (expr_take_word(x, "for")) {
            if (!read_targets(x, &targets))
                x->bad = true;
        } else if (!expr_take_word(x, "if")) {
            if (expr_take_word(x, "async"))
                continue;
            return;
        }
        if (x->bad)
            return;
        expr_read_or(x);
    }
}

struct value expr_read_comprehension(struct expr *x, bool dict)
{
    struct comprehension c = {.x = x, .element = x->p, .dict = dict};
    x->skip++;
    expr_read(x);
    if (!x->bad && dict && !expr_take(x, ":"))
        x->bad = true;
    if (!x->bad && dict)
        expr_read(x);
    const char *clauses = x->p;
    if (!x->bad)
        skip_clauses(x);
    const char *end = x->p;
    x->skip--;
    if (x->bad || x->skip)
        return expr_unknown();
    x->p = clauses;
    run_clauses(&c);
    x->p = end;
    return expr_items_end(x, &c.out, VALUE_LIST);
}

/* ---- displays ---- */

static struct value generator(struct value list)
{
    if (list.kind != VALUE_LIST)
        return expr_unknown();
    list.kind = VALUE_NAMED;
    list.text = STR("<genexpr>");
    list.i = 1;
    return list;
}

/* After the opening bracket: items up to close. A lone item in parentheses is itself. */
static struct value read_display(struct expr *x, enum value_kind kind, const char *close)
{
    struct expr_items l = {0};
    struct value v = expr_unknown();
    bool comma = false, star = false;
    if (expr_has_for(x)) {
        v = expr_read_comprehension(x, false);
        if (x->bad || !expr_take(x, close))
            return expr_fail(x);
        if (kind == VALUE_SET && v.kind == VALUE_LIST)
            return expr_set(x, v.items, v.n_items);
        return kind == VALUE_TUPLE ? generator(v) : v;
    }
    while (!x->bad && !expr_take(x, close)) {
        star = expr_take(x, "*");
        v = expr_read(x);
        if (star)
            expr_items_spread(x, &l, &v);
        else
            expr_items_add(x, &l, v);
        bool more = !x->bad && expr_take(x, ",");
        comma = comma || more;
        if (!more) {
            x->bad = x->bad || !expr_take(x, close);
            break;
        }
    }
    struct value all = expr_items_end(x, &l, kind);
    if (kind == VALUE_TUPLE && !comma && (all.n_items == 1 || l.unknown || x->skip) && !star)
        return v;
    return kind == VALUE_SET && all.kind == VALUE_SET ? expr_set(x, all.items, all.n_items) : all;
}

static void add_pair(struct expr *x, struct expr_items *l)
{
    if (expr_take(x, "**")) {
        struct value v = expr_read_or(x);
        l->unknown = l->unknown || v.kind != VALUE_DICT;
        for (uint32_t i = 0; v.kind == VALUE_DICT && i < v.n_items; i++)
            expr_items_add(x, l, v.items[i]);
        return;
    }
    struct value key = expr_read(x);
    if (x->bad || !expr_take(x, ":")) {
        x->bad = true;
        return;
    }
    expr_items_add(x, l, key);
    expr_items_add(x, l, expr_read(x));
}

static struct value read_braces(struct expr *x)
{
    struct expr_items l = {0};
    if (expr_take(x, "}"))
        return expr_sequence(VALUE_DICT, NULL, 0, EXPR_PLAIN_SEQUENCE);
    bool mapping = expr_take(x, "**");
    x->p -= mapping ? 2 : 0;
    if (!mapping && !is_ahead(x, ":"))
        return read_display(x, VALUE_SET, "}");
    if (expr_has_for(x)) {
        struct value v = expr_read_comprehension(x, true);
        if (x->bad || !expr_take(x, "}"))
            return expr_fail(x);
        return v.kind == VALUE_LIST ? expr_dict(x, v.items, v.n_items) : expr_unknown();
    }
    while (!x->bad && !expr_take(x, "}")) {
        add_pair(x, &l);
        if (!x->bad && !expr_take(x, ",")) {
            x->bad = !expr_take(x, "}");
            break;
        }
    }
    struct value all = expr_items_end(x, &l, VALUE_DICT);
    return all.kind == VALUE_DICT ? expr_dict(x, all.items, all.n_items) : all;
}

struct value expr_read_atom(struct expr *x)
{
    expr_blank(x);
    if (x->p >= x->end || ++x->steps > EXPR_MAX_STEPS)
        return expr_fail(x);
    char c = *x->p;
    if (expr_at_string(x))
        return expr_read_strings(x);
    if (is_digit(c) || (c == '.' && x->p + 1 < x->end && is_digit(x->p[1])))
        return read_number(x);
    if (expr_take(x, "..."))
        return expr_plain(STR(""));
    if (expr_take(x, "("))
        return read_display(x, VALUE_TUPLE, ")");
    if (expr_take(x, "["))
        return read_display(x, VALUE_LIST, "]");
    if (expr_take(x, "{"))
        return read_braces(x);
    return read_name(x);
}
