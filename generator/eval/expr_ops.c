#include "generator/eval/expr_parse.h"
#include "runtime/base/maths.h"

#include <math.h>
#include <string.h>

/* ---- numbers ---- */

/* a // b, rounded down as Python does; b is not 0 or -1. */
static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
}

static struct value int_power(int64_t a, int64_t b)
{
    int64_t r = 1;
    double part;
    if (b < 0)
        return a && maths_pow((double)a, (double)b, &part) ? expr_float(part) : expr_unknown();
    if (a == 0 || a == 1 || a == -1)
        return expr_int(b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a);
    for (; b > 0; b--)
        if (__builtin_mul_overflow(r, a, &r))
            return expr_unknown();
    return expr_int(r);
}

static bool is_exact(int64_t i)
{
    return i > -(1LL << 53) && i < 1LL << 53;
}

static struct value int_divide(char op, int64_t a, int64_t b)
{
    if (b == 0)
        return expr_unknown();
    if (op == '/')
        return is_exact(a) && is_exact(b) ? expr_float((double)a / (double)b) : expr_unknown();
    if (b == -1)
        return op == '%' ? expr_int(0) : a == INT64_MIN ? expr_unknown() : expr_int(-a);
    return expr_int(op == 'd' ? floor_divide(a, b) : a - floor_divide(a, b) * b);
}

static struct value integers(char op, int64_t a, int64_t b)
{
    int64_t r = 0;
    bool over = false;
    switch (op) {
    case '+':
        over = __builtin_add_overflow(a, b, &r);
        break;
    case '-':
        over = __builtin_sub_overflow(a, b, &r);
        break;
    case '*':
        over = __builtin_mul_overflow(a, b, &r);
        break;
    case '/':
    case 'd':
    case '%':
        return int_divide(op, a, b);
    case 'p':
        return int_power(a, b);
    case '<':
        over = b < 0 || b > 62 || __builtin_mul_overflow(a, (int64_t)1 << (b & 63), &r);
        break;
    case '>':
        over = b < 0;
        r = floor_divide(a, (int64_t)1 << (b > 62 ? 62 : b < 0 ? 0 : b));
        r = b > 62 ? (a < 0 ? -1 : 0) : r;
        break;
    case '&':
        r = a & b;
        break;
    case '|':
        r = a | b;
        break;
    case '^':
        r = a ^ b;
        break;
    default:
        return expr_unknown();
    }
    return over ? expr_unknown() : expr_int(r);
}

/* CPython's float_divmod. */
static struct value float_divide(char op, double a, double b)
{
    double mod;
    if (!maths_fmod(a, b, &mod))
        return expr_unknown();
    double div = (a - mod) / b;
    if (mod != 0 && (b < 0) != (mod < 0)) {
        mod += b;
        div -= 1.0;
    } else if (mod == 0) {
        mod = copysign(0.0, b);
    }
    double floored = div != 0 ? maths_floor(div) : copysign(0.0, a / b);
    if (div - floored > 0.5)
        floored += 1.0;
    return expr_float(op == '%' ? mod : floored);
}

static struct value floats(char op, double a, double b)
{
    double r = op == '+' ? a + b : op == '-' ? a - b : a * b;
    if (op == '+' || op == '-' || op == '*')
        return expr_float(r);
    if (b == 0 && op != 'p')
        return expr_unknown();
    if (op == '/')
        return expr_float(a / b);
    if (op == 'd' || op == '%')
        return isfinite(a) && isfinite(b) ? float_divide(op, a, b) : expr_unknown();
    if (op != 'p' || !isfinite(a) || !isfinite(b) || (a < 0 && b != maths_floor(b)) || (a == 0 && b < 0))
        return expr_unknown();
    return maths_pow(a, b, &r) && isfinite(r) ? expr_float(r) : expr_unknown();
}

/* Sums only; a zero part's sign would differ by version. */
static struct value complexes(struct expr *x, char op, const struct value *a, const struct value *b)
{
    double ar, ai, br, bi;
    if (!expr_complex_parts(a, &ar, &ai) || !expr_complex_parts(b, &br, &bi) || (op != '+' && op != '-'))
        return expr_unknown();
    if ((ar == 0 && signbit(ar)) || (br == 0 && signbit(br)) || (ai == 0 && bi == 0))
        return expr_unknown();
    return op == '+' ? expr_complex(x, ar + br, ai + bi) : expr_complex(x, ar - br, ai - bi);
}

/* ---- sequences and sets ---- */

static bool is_text(const struct value *v)
{
    return v->kind == VALUE_STR || v->kind == VALUE_BYTES;
}

static bool is_sequence(const struct value *v)
{
    return is_text(v) || ((v->kind == VALUE_LIST || v->kind == VALUE_TUPLE) && !v->called);
}

static struct value concatenate(struct expr *x, const struct value *a, const struct value *b)
{
    struct value v = *a;
    if (is_text(a)) {
        char *p = expr_text(x, a->text.n + b->text.n);
        if (!p)
            return expr_unknown();
        if (a->text.n)
            memcpy(p, a->text.p, a->text.n);
        if (b->text.n)
            memcpy(p + a->text.n, b->text.p, b->text.n);
        v.text = (struct str){p, a->text.n + b->text.n};
        return v;
    }
    size_t n = (size_t)a->n_items + b->n_items;
    struct value *items = expr_array(x, n);
    if (!items)
        return expr_unknown();
    if (a->n_items)
        memcpy(items, a->items, a->n_items * sizeof *items);
    if (b->n_items)
        memcpy(items + a->n_items, b->items, b->n_items * sizeof *items);
    return expr_sequence(a->kind, items, n, EXPR_PLAIN_SEQUENCE);
}

static struct value repeat(struct expr *x, const struct value *s, int64_t times)
{
    size_t n = is_text(s) ? s->text.n : s->n_items;
    size_t k = times < 0 ? 0 : times > EXPR_MAX_TEXT ? (size_t)EXPR_MAX_TEXT + 1 : (size_t)times;
    struct value v = *s;
    if (n == 0 || k == 0) {
        v.text.n = 0;
        return is_text(s) ? v : expr_sequence(s->kind, NULL, 0, EXPR_PLAIN_SEQUENCE);
    }
    if (k > EXPR_MAX_TEXT || n > EXPR_MAX_TEXT / k)
        return expr_unknown();
    if (is_text(s)) {
        char *p = expr_text(x, n * k);
        for (size_t i = 0; p && i < k; i++)
            memcpy(p + i * n, s->text.p, n);
        v.text = (struct str){p, n * k};
        return p ? v : expr_unknown();
    }
    if (n * k > EXPR_MAX_ITEMS)
        return expr_unknown();
    struct value *items = expr_array(x, n * k);
    for (size_t i = 0; items && i < k; i++)
        memcpy(items + i * n, s->items, n * sizeof *items);
    return items ? expr_sequence(s->kind, items, n * k, EXPR_PLAIN_SEQUENCE) : expr_unknown();
}

/* a | b, a & b, a - b. */
static struct value sets(struct expr *x, char op, const struct value *a, const struct value *b)
{
    struct expr_items l = {0};
    if ((uint64_t)a->n_items * b->n_items > 1000000)
        return expr_plain(STR("set"));
    for (uint32_t i = 0; i < a->n_items; i++) {
        int in = op == '|' ? 1 : expr_contains(x, &a->items[i], b);
        l.unknown = l.unknown || in < 0;
        if (in == (op != '-'))
            expr_items_add(x, &l, a->items[i]);
    }
    for (uint32_t i = 0; op == '|' && i < b->n_items; i++)
        expr_items_add(x, &l, b->items[i]);
    struct value v = expr_items_end(x, &l, VALUE_SET);
    return v.kind == VALUE_SET ? expr_set(x, v.items, v.n_items) : x->bad ? v : expr_plain(STR("set"));
}

int expr_contains(struct expr *x, const struct value *item, const struct value *in)
{
    if (in->kind == VALUE_STR)
        return item->kind == VALUE_STR ? str_contains(in->text, item->text) : -1;
    bool dict = in->kind == VALUE_DICT, set = in->kind == VALUE_SET;
    if (!dict && !set && in->kind != VALUE_LIST && in->kind != VALUE_TUPLE)
        return -1;
    int found = 0;
    x->steps += in->n_items / 4;
    for (uint32_t i = 0; i < in->n_items && x->steps < EXPR_MAX_STEPS; i += dict ? 2 : 1) {
        int e = value_equal(item, &in->items[i]);
        if (e == 1)
            return 1;
        found = e < 0 ? -1 : found;
    }
    return x->steps < EXPR_MAX_STEPS ? found : -1;
}

/* ---- objects of the standard library that have no id of their own: text names the class ---- */

static bool is_path(const struct value *v)
{
    return v->kind == VALUE_PLAIN && str_starts(v->text, STR("pathlib."));
}

/* Decimal and Fraction stay what they are among themselves and integers, as do dates with timedeltas. */
static struct value plains(char op, const struct value *a, const struct value *b)
{
    if (op == '/' && is_path(a) && (b->kind == VALUE_STR || is_path(b)))
        return *a;
    const struct value *v = a->kind == VALUE_PLAIN ? a : b, *other = v == a ? b : a;
    bool same = other->kind == VALUE_PLAIN && str_eq(v->text, other->text);
    bool exact = expr_is(v->text, "decimal.Decimal") || expr_is(v->text, "fractions.Fraction");
    bool integer = other->kind == VALUE_INT;
    if (exact && (same || integer) && op != '\0' && strchr("+-*/", op))
        return *v;
    bool delta = expr_is(v->text, "datetime.timedelta");
    if (delta && integer && op == '*')
        return *v;
    bool dates = str_starts(a->text, STR("datetime.")) && str_starts(b->text, STR("datetime."));
    return dates && a->kind == b->kind && (op == '+' || op == '-') ? expr_plain(STR("datetime")) : expr_unknown();
}

static struct value binary(struct expr *x, char op, const struct value *a, const struct value *b)
{
    if (op == '%' && a->kind == VALUE_STR)
        return expr_percent(x, a, b);
    if (op == '+' && is_sequence(a) && a->kind == b->kind && is_sequence(b))
        return concatenate(x, a, b);
    if (op == '*' && is_sequence(a) && expr_is_int(b))
        return repeat(x, a, b->i);
    if (op == '*' && is_sequence(b) && expr_is_int(a))
        return repeat(x, b, a->i);
    if (a->kind == VALUE_BOOL && b->kind == VALUE_BOOL && (op == '&' || op == '|' || op == '^'))
        return expr_bool(op == '&' ? a->i && b->i : op == '|' ? a->i || b->i : a->i != b->i);
    if (expr_is_int(a) && expr_is_int(b))
        return integers(op, a->i, b->i);
    if (expr_is_number(a) && expr_is_number(b))
        return floats(op, expr_double(a), expr_double(b));
    if (a->kind == VALUE_COMPLEX || b->kind == VALUE_COMPLEX)
        return complexes(x, op, a, b);
    if (a->kind == VALUE_SET && b->kind == VALUE_SET && (op == '|' || op == '&' || op == '-'))
        return sets(x, op, a, b);
    if (a->kind == VALUE_PLAIN || b->kind == VALUE_PLAIN)
        return plains(op, a, b);
    return expr_unknown();
}

struct value expr_binary(struct expr *x, char op, const struct value *a, const struct value *b)
{
    return x->skip || x->bad ? expr_unknown() : binary(x, op, a, b);
}

struct value expr_negate(struct expr *x, char op, const struct value *v)
{
    double re, im;
    if (x->skip || x->bad)
        return expr_unknown();
    if (expr_is_int(v) && op == '-')
        return v->i == INT64_MIN ? expr_unknown() : expr_int(-v->i);
    if (expr_is_int(v))
        return expr_int(op == '~' ? ~v->i : v->i);
    if (v->kind == VALUE_FLOAT && op != '~')
        return expr_float(op == '-' ? -v->f : v->f);
    if (v->kind == VALUE_COMPLEX && op != '~' && expr_complex_parts(v, &re, &im))
        return op == '+' ? *v : expr_complex(x, -re, -im);
    bool number = expr_is(v->text, "decimal.Decimal") || expr_is(v->text, "fractions.Fraction") ||
                  expr_is(v->text, "datetime.timedelta");
    return v->kind == VALUE_PLAIN && number && op != '~' ? *v : expr_unknown();
}

/* ---- subscripts ---- */

static bool has_wide(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return true;
    return false;
}

static struct value dict_get(const struct value *d, const struct value *key)
{
    for (uint32_t i = 0; i + 1 < d->n_items; i += 2) {
        int e = value_equal(&d->items[i], key);
        if (e != 0)
            return e == 1 ? d->items[i + 1] : expr_unknown();
    }
    return expr_unknown();
}

struct value expr_index(struct expr *x, const struct value *v, const struct value *index)
{
    if (x->skip || x->bad)
        return expr_unknown();
    if (v->kind == VALUE_DICT)
        return dict_get(v, index);
    bool items = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
    if (!expr_is_int(index) || (items && v->i == EXPR_ITERATOR) || (!items && !is_text(v)) ||
        (v->kind == VALUE_STR && has_wide(v->text)))
        return expr_unknown();
    int64_t n = items ? v->n_items : (int64_t)v->text.n, i = index->i < 0 ? index->i + n : index->i;
    if (i < 0 || i >= n)
        return expr_unknown();
    if (items)
        return v->items[i];
    return v->kind == VALUE_STR ? expr_str(str_slice(v->text, (size_t)i, (size_t)i + 1))
                                : expr_int((unsigned char)v->text.p[i]);
}

/* One bound of a slice, clamped as slice.indices() does. */
static bool bound(const struct value *v, int64_t n, int64_t low, int64_t high, int64_t absent, int64_t *out)
{
    *out = absent;
    if (v->kind == VALUE_NONE)
        return true;
    if (!expr_is_int(v))
        return false;
    *out = v->i < 0 ? (v->i < -n ? low : v->i + n) : v->i;
    *out = *out < low ? low : *out > high ? high : *out;
    return true;
}

struct value expr_slice(struct expr *x, const struct value *v, const struct value parts[3])
{
    bool items = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
    int64_t step = parts[2].kind == VALUE_NONE ? 1 : parts[2].i, from, to;
    if (x->skip || x->bad || (items && v->i == EXPR_ITERATOR) || (!items && !is_text(v)) ||
        (v->kind == VALUE_STR && has_wide(v->text)) || (parts[2].kind != VALUE_NONE && !expr_is_int(&parts[2])))
        return expr_unknown();
    int64_t n = items ? v->n_items : (int64_t)v->text.n, low = step < 0 ? -1 : 0, high = step < 0 ? n - 1 : n;
    if (step == 0 || step < -EXPR_MAX_TEXT || step > EXPR_MAX_TEXT ||
        !bound(&parts[0], n, low, high, step < 0 ? n - 1 : 0, &from) ||
        !bound(&parts[1], n, low, high, step < 0 ? -1 : n, &to))
        return expr_unknown();
    int64_t count = step > 0 ? (to > from ? (to - from + step - 1) / step : 0)
                             : (to < from ? (from - to - step - 1) / -step : 0);
    struct value out = *v, *kept = items ? expr_array(x, (size_t)count) : NULL;
    char *text = items ? NULL : expr_text(x, (size_t)count);
    if (!kept && !text)
        return expr_unknown();
    for (int64_t i = 0; i < count; i++) {
        if (items)
            kept[i] = v->items[from + i * step];
        else
            text[i] = v->text.p[from + i * step];
    }
    if (items)
        return expr_sequence(v->kind, kept, (size_t)count, (enum expr_iterable)v->i);
    out.text = (struct str){text, (size_t)count};
    return out;
}
