#include "generator/eval/expr_parse.h"
#include "runtime/base/maths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Builtins by name. Each gets its arguments, checked for number; a call that would raise is unknown. */

static struct value text_of(struct expr *x, const struct value *v, bool repr)
{
    struct buf b = {0};
    if (repr ? value_repr(v, &b) : value_str(v, &b))
        return expr_buf(x, &b, VALUE_STR);
    buf_release(&b);
    return expr_unknown();
}

static struct value call_str(struct expr *x, const struct value *a)
{
    return a->n_items ? text_of(x, &a->items[0], false) : expr_str(STR(""));
}

static struct value call_repr(struct expr *x, const struct value *a)
{
    return text_of(x, &a->items[0], true);
}

/* float() and int() of text take digits alone here: "1_0", "١" and the like stay unknown. */
static bool copy_text(const struct value *v, const char *allowed, char *out, size_t cap)
{
    struct str s = str_trim(v->text);
    if (v->kind != VALUE_STR || !s.n || s.n >= cap)
        return false;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return strspn(out, allowed) == s.n;
}

static struct value call_float(struct expr *x, const struct value *a)
{
    static const struct { const char *text; double f; } names[] = {
        {"nan", NAN}, {"inf", INFINITY}, {"infinity", INFINITY}, {"-inf", -INFINITY}, {"-infinity", -INFINITY},
        {"+inf", INFINITY}};
    const struct value *v = a->items;
    char text[64], *end;
    (void)x;
    if (!a->n_items)
        return expr_float(0);
    if (expr_is_number(v))
        return expr_float(expr_double(v));
    if (!copy_text(v, "0123456789.+-eEinftyaINFTYA", text, sizeof text))
        return expr_unknown();
    for (char *p = text; *p; p++)
        *p |= *p >= 'A' && *p <= 'Z' ? 32 : 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i].text) == 0)
            return expr_float(names[i].f);
    double f = strtod(text, &end);
    return strspn(text, "0123456789.+-e") == strlen(text) && !*end ? expr_float(f) : expr_unknown();
}

static struct value call_int(struct expr *x, const struct value *a)
{
    const struct value *v = a->items;
    char text[24], *end;
    (void)x;
    if (!a->n_items)
        return expr_int(0);
    if (expr_is_int(v))
        return expr_int(v->i);
    if (v->kind == VALUE_FLOAT && fabs(v->f) < 0x1p62)
        return expr_int((int64_t)v->f);
    if (!copy_text(v, "0123456789+-", text, sizeof text) || strlen(text) > 18)
        return expr_unknown();
    long long i = strtoll(text, &end, 10);
    return *end || end == text ? expr_unknown() : expr_int(i);
}

static struct value call_bool(struct expr *x, const struct value *a)
{
    (void)x;
    return expr_bool(a->n_items ? value_truth(&a->items[0]) : 0);
}

static struct value call_complex(struct expr *x, const struct value *a)
{
    double re = 0, im = 0;
    bool known = a->n_items < 1 || expr_is_number(&a->items[0]);
    known = known && (a->n_items < 2 || expr_is_number(&a->items[1]));
    if (a->n_items > 0 && known)
        re = expr_double(&a->items[0]);
    if (a->n_items > 1 && known)
        im = expr_double(&a->items[1]);
    return known ? expr_complex(x, re, im) : expr_unknown();
}

static struct value call_abs(struct expr *x, const struct value *a)
{
    const struct value *v = a->items;
    (void)x;
    if (v->kind == VALUE_FLOAT)
        return expr_float(fabs(v->f));
    return expr_is_int(v) && v->i != INT64_MIN ? expr_int(llabs(v->i)) : expr_unknown();
}

static struct value call_len(struct expr *x, const struct value *a)
{
    (void)x;
    int64_t n = expr_length(&a->items[0]);
    return n < 0 ? expr_unknown() : expr_int(n);
}

static struct value call_round(struct expr *x, const struct value *a)
{
    const struct value *v = a->items;
    (void)x;
    if (expr_is_int(v))
        return expr_int(v->i);
    return v->kind == VALUE_FLOAT && fabs(v->f) < 0x1p51 ? expr_int(maths_nearest(v->f)) : expr_unknown();
}

static struct value call_chr(struct expr *x, const struct value *a)
{
    struct buf b = {0};
    const struct value *v = a->items;
    if (!expr_is_int(v) || v->i < 0 || v->i > 0xffff || (v->i >= 0xd800 && v->i < 0xe000))
        return expr_unknown();
    uint32_t c = (uint32_t)v->i;
    if (c >= 0x800)
        buf_char(&b, (char)(0xe0 | c >> 12));
    if (c >= 0x80)
        buf_char(&b, (char)(c >= 0x800 ? 0x80 | (c >> 6 & 63) : 0xc0 | c >> 6));
    buf_char(&b, (char)(c >= 0x80 ? 0x80 | (c & 63) : c));
    return expr_buf(x, &b, VALUE_STR);
}

static struct value call_ord(struct expr *x, const struct value *a)
{
    const struct value *v = a->items;
    (void)x;
    bool one = (v->kind == VALUE_STR || v->kind == VALUE_BYTES) && v->text.n == 1;
    return one ? expr_int((unsigned char)*v->text.p) : expr_unknown();
}

static struct value in_base(struct expr *x, const struct value *v, int bits)
{
    char text[80], *p = text + sizeof text;
    if (!expr_is_int(v) || v->i == INT64_MIN)
        return expr_unknown();
    uint64_t u = (uint64_t)llabs(v->i), mask = ((uint64_t)1 << bits) - 1;
    do {
        *--p = "0123456789abcdef"[u & mask];
        u >>= bits;
    } while (u);
    *--p = bits == 4 ? 'x' : bits == 3 ? 'o' : 'b';
    *--p = '0';
    if (v->i < 0)
        *--p = '-';
    struct buf b = {0};
    buf_add(&b, p, (size_t)(text + sizeof text - p));
    return expr_buf(x, &b, VALUE_STR);
}

static struct value call_hex(struct expr *x, const struct value *a)
{
    return in_base(x, &a->items[0], 4);
}

static struct value call_oct(struct expr *x, const struct value *a)
{
    return in_base(x, &a->items[0], 3);
}

static struct value call_bin(struct expr *x, const struct value *a)
{
    return in_base(x, &a->items[0], 1);
}

/* ---- containers ---- */

static struct value convert(struct expr *x, const struct value *a, enum value_kind kind)
{
    struct value *items = NULL;
    uint32_t n = 0;
    if (a->n_items && kind == VALUE_SET && a->items[0].kind == VALUE_SET)
        return a->items[0];
    if (a->n_items && !expr_iterate(x, &a->items[0], &items, &n))
        return expr_unknown();
    return kind == VALUE_SET ? expr_set(x, items, n) : expr_sequence(kind, items, n, EXPR_PLAIN_SEQUENCE);
}

static struct value call_list(struct expr *x, const struct value *a)
{
    return convert(x, a, VALUE_LIST);
}

static struct value call_tuple(struct expr *x, const struct value *a)
{
    return convert(x, a, VALUE_TUPLE);
}

static struct value call_set(struct expr *x, const struct value *a)
{
    return convert(x, a, VALUE_SET);
}

static struct value call_iter(struct expr *x, const struct value *a)
{
    struct value v = convert(x, a, VALUE_LIST);
    return expr_iterator(v);
}

/* dict(mapping or pairs, key=value …) */
static struct value call_dict(struct expr *x, const struct value *a)
{
    struct expr_items l = {0};
    struct value *items, *pair;
    uint32_t n = 0, two;
    if (a->n_items && a->items[0].kind == VALUE_DICT) {
        for (uint32_t i = 0; i < a->items[0].n_items; i++)
            expr_items_add(x, &l, a->items[0].items[i]);
    } else if (a->n_items) {
        l.unknown = !expr_iterate(x, &a->items[0], &items, &n);
        for (uint32_t i = 0; i < n && !l.unknown; i++) {
            l.unknown = !expr_iterate(x, &items[i], &pair, &two) || two != 2;
            for (uint32_t k = 0; k < 2 && !l.unknown; k++)
                expr_items_add(x, &l, pair[k]);
        }
    }
    for (uint32_t i = 0; i < a->n_keywords; i++) {
        expr_items_add(x, &l, expr_str(a->keywords[i].name));
        expr_items_add(x, &l, a->keywords[i].value);
    }
    struct value v = expr_items_end(x, &l, VALUE_DICT);
    return v.kind == VALUE_DICT ? expr_dict(x, v.items, v.n_items) : v;
}

static struct value call_bytes(struct expr *x, const struct value *a)
{
    struct value *items;
    uint32_t n;
    struct buf b = {0};
    if (!a->n_items)
        return (struct value){.kind = VALUE_BYTES, .text = STR("")};
    const struct value *v = a->items;
    if (v->kind == VALUE_BYTES)
        return *v;
    bool zeros = expr_is_int(v) && v->i >= 0 && v->i <= EXPR_MAX_TEXT;
    if (!zeros && (v->kind == VALUE_STR || !expr_iterate(x, v, &items, &n)))
        return expr_unknown();
    for (int64_t i = 0; zeros && i < v->i; i++)
        buf_char(&b, '\0');
    for (uint32_t i = 0; !zeros && i < n; i++) {
        if (!expr_is_int(&items[i]) || items[i].i < 0 || items[i].i > 255) {
            buf_release(&b);
            return expr_unknown();
        }
        buf_char(&b, (char)items[i].i);
    }
    return expr_buf(x, &b, VALUE_BYTES);
}

static struct value call_plain(struct expr *x, const struct value *a)
{
    (void)x;
    (void)a;
    return expr_plain(STR(""));
}

/* ---- folds ---- */

static struct value fold(struct expr *x, const struct value *a, int sign)
{
    struct value *items = a->items, best = expr_unknown();
    uint32_t n = a->n_items;
    if (n == 1 && a->items[0].kind == VALUE_SET) { /* the order does not matter */
        items = a->items[0].items;
        n = a->items[0].n_items;
    } else if (n == 1 && !expr_iterate(x, &a->items[0], &items, &n)) {
        return best;
    }
    if (n)
        best = items[0];
    for (uint32_t i = 1; i < n; i++) {
        int better = sign < 0 ? value_less(&items[i], &best) : value_less(&best, &items[i]);
        if (better < 0)
            return expr_unknown();
        if (better)
            best = items[i];
    }
    return best;
}

static struct value call_min(struct expr *x, const struct value *a)
{
    return fold(x, a, -1);
}

static struct value call_max(struct expr *x, const struct value *a)
{
    return fold(x, a, 1);
}

/* Integers alone: floats are summed otherwise since 3.12. Lists with a start of []. */
static struct value call_sum(struct expr *x, const struct value *a)
{
    struct value *items, sum = a->n_items > 1 ? a->items[1] : expr_int(0);
    uint32_t n;
    if (!expr_iterate(x, &a->items[0], &items, &n) || n > 2000)
        return expr_unknown();
    for (uint32_t i = 0; i < n; i++) {
        bool integers = expr_is_int(&sum) && expr_is_int(&items[i]);
        bool sequences = (sum.kind == VALUE_LIST || sum.kind == VALUE_TUPLE) && sum.kind == items[i].kind;
        if (!integers && !sequences)
            return expr_unknown();
        sum = expr_binary(x, '+', &sum, &items[i]);
    }
    return sum;
}

static struct value quantify(struct expr *x, const struct value *a, int stop)
{
    struct value *items;
    uint32_t n;
    int r = !stop;
    if (!expr_iterate(x, &a->items[0], &items, &n))
        return expr_unknown();
    for (uint32_t i = 0; i < n && r != stop; i++) {
        int t = value_truth(&items[i]);
        r = t == stop ? stop : t < 0 ? -1 : r;
    }
    return expr_bool(r);
}

static struct value call_any(struct expr *x, const struct value *a)
{
    return quantify(x, a, 1);
}

static struct value call_all(struct expr *x, const struct value *a)
{
    return quantify(x, a, 0);
}

/* type(v), for what is one of the builtin types. */
static struct value call_type(struct expr *x, const struct value *a)
{
    (void)x;
    static const struct { enum value_kind kind; const char *name; } names[] = {
        {VALUE_NONE, "NoneType"}, {VALUE_BOOL, "bool"}, {VALUE_INT, "int"}, {VALUE_FLOAT, "float"},
        {VALUE_COMPLEX, "complex"}, {VALUE_STR, "str"}, {VALUE_BYTES, "bytes"}, {VALUE_TUPLE, "tuple"},
        {VALUE_LIST, "list"}, {VALUE_SET, "set"}, {VALUE_DICT, "dict"}, {VALUE_PATTERN, "Pattern"}};
    const struct value *v = a->items;
    bool odd = (v->kind == VALUE_LIST || v->kind == VALUE_TUPLE) && v->called;
    for (size_t i = 0; !odd && i < sizeof names / sizeof *names; i++)
        if (v->kind == names[i].kind)
            return (struct value){.kind = VALUE_NAMED, .text = str_z(names[i].name),
                                  .i = v->kind == VALUE_NONE || v->kind == VALUE_PATTERN};
    return expr_unknown();
}

/* map(f, items) for a builtin f. */
static struct value call_map(struct expr *x, const struct value *a)
{
    struct expr_items l = {0};
    struct value *items;
    uint32_t n;
    if (a->items[0].kind != VALUE_NAMED || !expr_iterate(x, &a->items[1], &items, &n))
        return expr_unknown();
    for (uint32_t i = 0; i < n && !x->bad; i++) {
        struct value args = expr_sequence(VALUE_TUPLE, &items[i], 1, EXPR_PLAIN_SEQUENCE);
        x->bad = x->bad || ++x->steps > EXPR_MAX_STEPS;
        expr_items_add(x, &l, expr_call(x, &a->items[0], &args));
    }
    struct value v = expr_items_end(x, &l, VALUE_LIST);
    return expr_iterator(v);
}

static struct value call_filter(struct expr *x, const struct value *a)
{
    struct expr_items l = {0};
    struct value *items;
    uint32_t n;
    if (a->items[0].kind != VALUE_NONE || !expr_iterate(x, &a->items[1], &items, &n))
        return expr_unknown();
    for (uint32_t i = 0; i < n; i++) {
        int t = value_truth(&items[i]);
        l.unknown = l.unknown || t < 0;
        if (t == 1)
            expr_items_add(x, &l, items[i]);
    }
    struct value v = expr_items_end(x, &l, VALUE_LIST);
    return expr_iterator(v);
}

struct value expr_builtin(struct expr *x, const struct value *f, const struct value *a)
{
    static const struct {
        const char *name;
        struct value (*call)(struct expr *x, const struct value *args);
        uint8_t least, most;
        bool keywords; /* it takes some, and looks at them */
    } table[] = {
        {"abs", call_abs, 1, 1, false},         {"all", call_all, 1, 1, false},
        {"any", call_any, 1, 1, false},         {"bin", call_bin, 1, 1, false},
        {"bool", call_bool, 0, 1, false},       {"bytearray", call_plain, 0, 3, true},
        {"bytes", call_bytes, 0, 1, false},     {"chr", call_chr, 1, 1, false},
        {"complex", call_complex, 0, 2, false}, {"dict", call_dict, 0, 1, true},
        {"enumerate", expr_iter_enumerate, 1, 2, true}, {"filter", call_filter, 2, 2, false},
        {"float", call_float, 0, 1, false},     {"frozenset", call_plain, 0, 1, false},
        {"hex", call_hex, 1, 1, false},         {"int", call_int, 0, 1, false},
        {"iter", call_iter, 1, 1, false},       {"len", call_len, 1, 1, false},
        {"list", call_list, 0, 1, false},       {"map", call_map, 2, 2, false},
        {"max", call_max, 1, 255, false},       {"memoryview", call_plain, 1, 1, false},
        {"min", call_min, 1, 255, false},       {"object", call_plain, 0, 0, false},
        {"oct", call_oct, 1, 1, false},         {"ord", call_ord, 1, 1, false},
        {"range", expr_iter_range, 1, 3, false}, {"repr", call_repr, 1, 1, false},
        {"reversed", expr_iter_reversed, 1, 1, false}, {"round", call_round, 1, 1, false},
        {"set", call_set, 0, 1, false},         {"slice", call_plain, 1, 3, false},
        {"sorted", expr_iter_sorted, 1, 1, true}, {"str", call_str, 0, 1, false},
        {"sum", call_sum, 1, 2, false},         {"tuple", call_tuple, 0, 1, false},
        {"type", call_type, 1, 1, false},       {"zip", expr_iter_zip, 0, 16, true}};
    if (f->i || f->ref)
        return expr_unknown();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (*table[i].name == *f->text.p && expr_is(f->text, table[i].name)) {
            bool fits = a->n_items >= table[i].least && a->n_items <= table[i].most;
            return fits && (table[i].keywords || !a->n_keywords) ? table[i].call(x, a) : expr_unknown();
        }
    return expr_unknown();
}
