#include "generator/expr_parse.h"

#include "generator/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The grammar: Python reference, "Expressions". One function a level, lowest binding first. */

struct value expr_unknown(void)
{
    return (struct value){0};
}

struct value expr_fail(struct expr *x)
{
    x->bad = true;
    return expr_unknown();
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

void expr_skip(struct expr *x)
{
    while (x->p < x->end) {
        if (*x->p == '#')
            while (x->p < x->end && *x->p != '\n')
                x->p++;
        else if (strchr(" \t\n\\\f", *x->p) && *x->p)
            x->p++;
        else
            return;
    }
}

bool expr_take(struct expr *x, const char *op)
{
    size_t n = strlen(op);
    expr_skip(x);
    if ((size_t)(x->end - x->p) < n || memcmp(x->p, op, n) != 0)
        return false;
    x->p += n;
    return true;
}

struct str expr_peek(struct expr *x)
{
    expr_skip(x);
    struct str w = {x->p, 0};
    if (x->p < x->end && *x->p >= '0' && *x->p <= '9')
        return w;
    while (x->p + w.n < x->end && is_word(x->p[w.n]))
        w.n++;
    return w;
}

bool expr_take_word(struct expr *x, const char *word)
{
    struct str w = expr_peek(x);
    if (!str_eq(w, str_z(word)))
        return false;
    x->p += w.n;
    return true;
}

bool expr_enter(struct expr *x)
{
    if (++x->depth > EXPR_MAX_DEPTH || ++*x->steps > EXPR_MAX_STEPS)
        x->bad = true;
    return !x->bad;
}

/* ---- atoms ---- */

static struct value parse_number(struct expr *x)
{
    char digits[400];
    size_t n = 0;
    const char *start = x->p;
    bool hex = x->p + 1 < x->end && *x->p == '0' && strchr("xXoObB", x->p[1]) && x->p[1];
    bool real = false;
    for (; x->p < x->end && n < sizeof digits - 1; x->p++) {
        char c = *x->p;
        bool sign = (c == '+' || c == '-') && !hex && x->p > start && (x->p[-1] | 32) == 'e';
        if (c == '_')
            continue;
        if (!is_word(c) && c != '.' && !sign)
            break;
        real = real || c == '.' || (!hex && (c | 32) == 'e');
        digits[n++] = c;
    }
    digits[n] = '\0';
    struct value v = {.kind = VALUE_INT};
    char *end = digits;
    if (n && (digits[n - 1] | 32) == 'j' && !hex) {
        digits[n - 1] = '\0';
        v.kind = VALUE_COMPLEX;
        v.f = strtod(digits, &end);
        return *end ? expr_fail(x) : v; /* text is made when its sum is known */
    }
    if (real) {
        v.kind = VALUE_FLOAT;
        v.f = strtod(digits, &end);
    } else {
        int base = !hex ? 10 : (digits[1] | 32) == 'x' ? 16 : (digits[1] | 32) == 'o' ? 8 : 2;
        char *from = hex ? digits + 2 : digits;
        unsigned long long u = strtoull(from, &end, base);
        if (end == from)
            return expr_fail(x);
        v.i = (int64_t)u;
        if (strlen(from) > (size_t)(base == 2 ? 62 : base == 8 ? 20 : base == 16 ? 15 : 18)) {
            v = expr_unknown();
            return *end ? expr_fail(x) : v;
        }
    }
    return *end || end == digits ? expr_fail(x) : v;
}

struct value expr_join(struct expr *x, struct value a, struct value b)
{
    if (a.kind != b.kind || (a.kind != VALUE_STR && a.kind != VALUE_BYTES))
        return expr_unknown();
    char *p = arena_alloc(x->env->arena, a.text.n + b.text.n + 1);
    memcpy(p, a.text.p, a.text.n);
    memcpy(p + a.text.n, b.text.p, b.text.n);
    a.text = (struct str){p, a.text.n + b.text.n};
    return a;
}

static bool at_string(struct expr *x)
{
    const char *p = x->p;
    while (p < x->end && p - x->p < 3 && *p && strchr("rRbBuUfFtT", *p))
        p++;
    return p < x->end && (*p == '"' || *p == '\'');
}

static struct value parse_strings(struct expr *x)
{
    struct value all, next;
    if (!expr_string(x, &all))
        return expr_fail(x);
    expr_skip(x);
    while (x->p < x->end && at_string(x)) {
        if (!expr_string(x, &next))
            return expr_fail(x);
        all = expr_join(x, all, next);
        expr_skip(x);
    }
    return all;
}

static struct value lookup(struct expr *x, struct str name)
{
    static const char *const builtins[] = {
        "int", "str", "float", "bool", "bytes", "bytearray", "complex", "list", "tuple", "dict", "set", "frozenset",
        "object", "type", "len", "print", "range", "abs", "min", "max", "sum", "sorted", "reversed", "zip", "map",
        "filter", "enumerate", "iter", "next", "repr", "chr", "ord", "hash", "id", "callable", "isinstance",
        "issubclass", "getattr", "setattr", "hasattr", "delattr", "open", "input", "any", "all", "ascii", "bin", "oct",
        "hex", "divmod", "pow", "round", "vars", "dir", "super", "property", "staticmethod", "classmethod", "slice",
        "memoryview", "eval", "exec", "compile", "format", "globals", "locals", "breakpoint"};
    for (const struct expr_local *l = x->locals; l; l = l->next)
        if (str_eq(l->name, name))
            return l->value;
    struct value v = {0};
    if (str_eq(name, STR("None")))
        return (struct value){.kind = VALUE_NONE};
    if (str_eq(name, STR("True")) || str_eq(name, STR("False")))
        return (struct value){.kind = VALUE_BOOL, .i = name.p[0] == 'T'};
    if (x->env->name && x->env->name(x->env->ctx, name, &v) == EXPR_BOUND)
        return v;
    if (str_eq(name, STR("Ellipsis")) || str_eq(name, STR("NotImplemented")))
        return (struct value){.kind = VALUE_PLAIN};
    bool builtin = name.n > 5 && name.p[0] >= 'A' && name.p[0] <= 'Z' &&
                   (str_ends(name, STR("Error")) || str_ends(name, STR("Exception")) || str_ends(name, STR("Warning")));
    static const char *const odd[] = {"KeyboardInterrupt", "SystemExit", "StopIteration", "StopAsyncIteration",
                                      "GeneratorExit", "BaseExceptionGroup", "ExceptionGroup"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        builtin = builtin || str_eq(name, str_z(odd[i]));
    if (str_eq(name, STR("IOError")) || str_eq(name, STR("EnvironmentError")))
        name = STR("OSError");
    for (size_t i = 0; !builtin && i < sizeof builtins / sizeof *builtins; i++)
        builtin = str_eq(name, str_z(builtins[i]));
    return builtin ? (struct value){.kind = VALUE_NAMED, .text = name} : expr_unknown();
}

static struct value parse_atom(struct expr *x)
{
    expr_skip(x);
    if (x->p >= x->end)
        return expr_fail(x);
    char c = *x->p;
    if (at_string(x))
        return parse_strings(x);
    if ((c >= '0' && c <= '9') || (c == '.' && x->p + 1 < x->end && x->p[1] >= '0' && x->p[1] <= '9'))
        return parse_number(x);
    if (expr_take(x, "..."))
        return (struct value){.kind = VALUE_PLAIN};
    if (expr_take(x, "("))
        return expr_display(x, VALUE_TUPLE, ')');
    if (expr_take(x, "["))
        return expr_display(x, VALUE_LIST, ']');
    if (expr_take(x, "{"))
        return expr_braces(x);
    struct str w = expr_peek(x);
    static const char *const keywords[] = {"if", "else", "for", "in", "is", "and", "or", "not", "yield", "await",
                                           "async", "import", "from", "as", "with", "def", "class", "return"};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (str_eq(w, str_z(keywords[i])))
            return expr_fail(x);
    if (!w.n)
        return expr_fail(x);
    x->p += w.n;
    return lookup(x, w);
}

static const char *closing(struct expr *x, char close)
{
    struct str rest = {x->p, (size_t)(x->end - x->p)};
    size_t at = split_find(rest, close);
    return at < rest.n ? x->p + at : NULL;
}

/* ---- postfix ---- */

/* Arguments up to the closing parenthesis, or the end of the text. */
static struct value parse_arguments(struct expr *x, bool to_end)
{
    struct expr_list l = {0};
    struct value_keyword *keywords = NULL;
    size_t n_keywords = 0, cap = 0;
    for (;;) {
        expr_skip(x);
        if (x->bad || (to_end ? x->p >= x->end : expr_take(x, ")")))
            break;
        const char *start = x->p;
        struct str w = expr_peek(x);
        struct value_keyword k = {.name = STR("")};
        bool twice = expr_take(x, "**"), star = !twice && expr_take(x, "*"), named = twice;
        if (!twice && !star && w.n) {
            x->p += w.n;
            expr_skip(x);
            named = x->p < x->end && *x->p == '=' && !(x->p + 1 < x->end && x->p[1] == '=');
            if (named)
                k.name = w;
            x->p = named ? x->p + 1 : start;
        }
        k.value = expr_parse(x);
        if (!x->bad && !named && !star && expr_at_for(x)) {
            k.value = expr_comprehension(x, VALUE_LIST, start, NULL, NULL, to_end ? '\0' : ')');
        }
        if (named && twice && k.value.kind == VALUE_DICT) {
            for (uint32_t i = 0; i + 1 < k.value.n_items; i += 2) {
                if (k.value.items[i].kind != VALUE_STR)
                    l.unknown = true;
                keywords = xgrow(keywords, &cap, n_keywords + 1, sizeof *keywords);
                keywords[n_keywords++] = (struct value_keyword){k.value.items[i].text, k.value.items[i + 1]};
            }
        } else if (named && twice) {
            l.unknown = true;
        } else if (named) {
            keywords = xgrow(keywords, &cap, n_keywords + 1, sizeof *keywords);
            keywords[n_keywords++] = k;
        } else if (star) {
            expr_spread(x, &l, &k.value);
        } else {
            expr_add(x, &l, k.value);
        }
        expr_skip(x);
        if (!expr_take(x, ",") && !(to_end ? x->p >= x->end : x->p < x->end && *x->p == ')'))
            x->bad = true;
    }
    struct value v = expr_finish(x, VALUE_TUPLE, &l);
    if (v.kind == VALUE_TUPLE && n_keywords) {
        v.keywords = arena_array(x->env->arena, n_keywords, sizeof *v.keywords);
        memcpy(v.keywords, keywords, n_keywords * sizeof *keywords);
        v.n_keywords = (uint32_t)n_keywords;
    }
    free(keywords);
    return v;
}

static struct value qualified(struct expr *x, struct str a, struct str b)
{
    char *p = arena_alloc(x->env->arena, a.n + b.n + 2);
    memcpy(p, a.p, a.n);
    p[a.n] = '.';
    memcpy(p + a.n + 1, b.p, b.n);
    struct str q = {p, a.n + 1 + b.n};
    struct value v = {0};
    if (str_starts(q, STR("pytest.mark.")))
        return (struct value){.kind = VALUE_MARK, .text = b};
    if (x->env->external)
        x->env->external(x->env->ctx, q, &v);
    return v.kind == VALUE_UNKNOWN ? (struct value){.kind = VALUE_EXTERNAL, .text = q} : v;
}

static struct value attribute(struct expr *x, const struct value *v, struct str name)
{
    struct value out = {0};
    if (v->kind == VALUE_EXTERNAL)
        return qualified(x, v->text, name);
    if (v->kind == VALUE_NAMED && v->ref && x->env->attribute)
        x->env->attribute(x->env->ctx, v, name, &out);
    else if (v->kind == VALUE_NAMED && !v->ref && str_eq(name, STR("__name__")))
        out = (struct value){.kind = VALUE_STR, .text = v->text};
    else if (v->kind == VALUE_NAMED && !v->ref && name.p[0] != '_' && v->text.p[0] >= 'a')
        out = (struct value){.kind = VALUE_NAMED, .text = name};
    return out;
}

static bool index_of(const struct value *v, int64_t n, int64_t *out)
{
    if (v->kind != VALUE_INT && v->kind != VALUE_BOOL)
        return false;
    *out = v->i < 0 ? v->i + n : v->i;
    return true;
}

static struct value slice(const struct value *v, int64_t from, int64_t to)
{
    struct value out = *v;
    int64_t n = v->kind == VALUE_STR ? (int64_t)v->text.n : (int64_t)v->n_items;
    from = from < 0 ? 0 : from > n ? n : from;
    to = to < from ? from : to > n ? n : to;
    if (v->kind == VALUE_STR) {
        for (size_t i = 0; i < v->text.n; i++)
            if ((unsigned char)v->text.p[i] >= 0x80)
                return expr_unknown();
        out.text = str_slice(v->text, (size_t)from, (size_t)to);
    } else {
        out.items = v->items + from;
        out.n_items = (uint32_t)(to - from);
    }
    return out;
}

static struct value parse_subscript(struct expr *x, const struct value *v)
{
    bool sequence = v->kind == VALUE_TUPLE || v->kind == VALUE_LIST || v->kind == VALUE_STR;
    int64_t n = v->kind == VALUE_STR ? (int64_t)v->text.n : (int64_t)v->n_items, from = 0, to = n, i;
    struct value first = {0};
    bool colon = expr_take(x, ":");
    if (!colon) {
        first = expr_display(x, VALUE_TUPLE, ']');
        if (!x->bad) {
            if (v->kind == VALUE_DICT) {
                for (uint32_t k = 0; k + 1 < v->n_items; k += 2)
                    if (value_equal(&v->items[k], &first) == 1)
                        return v->items[k + 1];
            } else if (sequence && v->kind != VALUE_STR && index_of(&first, n, &i) && i >= 0 && i < n) {
                return v->items[i];
            } else if (v->kind == VALUE_STR && index_of(&first, n, &i) && i >= 0 && i < n) {
                return slice(v, i, i + 1);
            }
            return expr_unknown();
        }
        return expr_unknown();
    }
    if (expr_take(x, "]"))
        return sequence ? slice(v, from, to) : expr_unknown();
    struct value last = expr_parse(x);
    if (!expr_take(x, "]"))
        return expr_fail(x);
    return sequence && index_of(&last, n, &to) ? slice(v, 0, to) : expr_unknown();
}

/* v[a:b]: the display above fails at the colon; this looks for it first. */
static struct value parse_bracket(struct expr *x, const struct value *v)
{
    const char *end = closing(x, ']');
    struct str inner = {x->p, end ? (size_t)(end - x->p) : 0};
    size_t colon = end ? split_find(inner, ':') : inner.n;
    if (!end || colon >= inner.n || colon == 0)
        return parse_subscript(x, v);
    x->p = end + 1;
    struct str tail = str_trim(str_slice(inner, colon + 1, inner.n));
    struct value from = expr_sub(x, str_slice(inner, 0, colon), x->locals), to = {.kind = VALUE_INT, .i = INT32_MAX};
    if (tail.n)
        to = expr_sub(x, tail, x->locals);
    bool sequence = v->kind == VALUE_TUPLE || v->kind == VALUE_LIST || v->kind == VALUE_STR;
    int64_t n = v->kind == VALUE_STR ? (int64_t)v->text.n : (int64_t)v->n_items, a, b;
    return sequence && index_of(&from, n, &a) && index_of(&to, n, &b) ? slice(v, a, b) : expr_unknown();
}

struct value expr_postfix(struct expr *x)
{
    struct value v = parse_atom(x);
    while (!x->bad) {
        expr_skip(x);
        if (x->p >= x->end)
            break;
        if (*x->p == '.' && expr_take(x, ".")) {
            struct str name = expr_peek(x);
            if (!name.n)
                return expr_fail(x);
            x->p += name.n;
            expr_skip(x);
            bool method = (v.kind == VALUE_STR || v.kind == VALUE_DICT || v.kind == VALUE_BYTES || v.kind == VALUE_LIST) &&
                          x->p < x->end && *x->p == '(';
            if (method) {
                x->p++;
                struct value args = parse_arguments(x, false);
                v = expr_method(x, &v, name, &args);
            } else {
                v = attribute(x, &v, name);
            }
        } else if (*x->p == '(') {
            x->p++;
            struct value args = parse_arguments(x, false);
            v = expr_call(x, &v, &args);
        } else if (*x->p == '[') {
            x->p++;
            v = parse_bracket(x, &v);
        } else {
            break;
        }
    }
    return v;
}

/* ---- entry ---- */

/* A whole text: a bare tuple "1, 2" counts. */
static struct value parse_all(struct expr *x)
{
    struct value v = expr_parse(x);
    expr_skip(x);
    if (!x->bad && x->p < x->end && *x->p == ',') {
        struct expr_list l = {0};
        expr_add(x, &l, v);
        while (!x->bad && expr_take(x, ",")) {
            expr_skip(x);
            if (x->p < x->end)
                expr_add(x, &l, expr_parse(x));
        }
        v = expr_finish(x, VALUE_TUPLE, &l);
    }
    expr_skip(x);
    return x->bad || x->p < x->end ? expr_unknown() : v;
}

struct value expr_sub(const struct expr *x, struct str text, const struct expr_local *locals)
{
    struct expr sub = {.env = x->env, .p = text.p, .end = text.p + text.n, .locals = locals, .depth = x->depth + 1,
                       .steps = x->steps};
    return parse_all(&sub);
}

struct value expr_eval(const struct expr_env *env, struct str text)
{
    uint64_t steps = 0;
    struct expr x = {.env = env, .p = text.p, .end = text.p + text.n, .steps = &steps};
    return parse_all(&x);
}

struct value expr_arguments(const struct expr_env *env, struct str text)
{
    uint64_t steps = 0;
    struct expr x = {.env = env, .p = text.p, .end = text.p + text.n, .steps = &steps};
    struct value v = parse_arguments(&x, true);
    return x.bad ? expr_unknown() : v;
}
