#include "generator/expr_parse.h"

#include "generator/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_integer(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_BOOL;
}

static double as_double(const struct value *v)
{
    return v->kind == VALUE_FLOAT ? v->f : (double)v->i;
}

static bool is_number(const struct value *v)
{
    return is_integer(v) || v->kind == VALUE_FLOAT;
}

static struct value integer(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .i = i};
}

static struct value complex_sum(struct expr *x, const struct value *a, const struct value *b, bool minus)
{
    struct buf out = {0};
    double imaginary = minus ? -b->f : b->f;
    struct value part = {.kind = VALUE_FLOAT, .f = fabs(imaginary)}, real = {.kind = VALUE_FLOAT, .f = as_double(a)};
    struct value v = {.kind = VALUE_COMPLEX};
    if (as_double(a) == 0 || isnan(imaginary) || isinf(imaginary)) /* other forms: "3j", "-0-3j" */
        return expr_unknown();
    buf_char(&out, '(');
    struct buf text = {0};
    value_str(&real, &text);
    if (text.n > 2 && str_ends(buf_view(&text), STR(".0")))
        text.n -= 2;
    buf_str(&out, buf_view(&text));
    buf_clear(&text);
    value_str(&part, &text);
    if (text.n > 2 && str_ends(buf_view(&text), STR(".0")))
        text.n -= 2;
    buf_printf(&out, "%c%.*sj)", imaginary < 0 ? '-' : '+', (int)text.n, text.p);
    v.text = (struct str){arena_dup(x->env->arena, out.p, out.n), out.n};
    buf_release(&text);
    buf_release(&out);
    return v;
}

static struct value repeat(struct expr *x, const struct value *s, const struct value *count)
{
    int64_t times = count->i < 0 ? 0 : count->i;
    bool text = s->kind == VALUE_STR || s->kind == VALUE_BYTES;
    size_t n = text ? s->text.n : s->n_items;
    struct value v = *s;
    if (times > EXPR_MAX_ITEMS || n * (size_t)times > EXPR_MAX_ITEMS)
        return expr_unknown();
    if (text) {
        char *p = arena_alloc(x->env->arena, n * (size_t)times + 1);
        for (int64_t i = 0; i < times; i++)
            memcpy(p + (size_t)i * n, s->text.p, n);
        v.text = (struct str){p, n * (size_t)times};
    } else {
        v.items = arena_array(x->env->arena, n * (size_t)times, sizeof *v.items);
        for (int64_t i = 0; i < times && n; i++)
            memcpy(v.items + (size_t)i * n, s->items, n * sizeof *v.items);
        v.n_items = (uint32_t)(n * (size_t)times);
    }
    return v;
}

static struct value concatenate(struct expr *x, const struct value *a, const struct value *b)
{
    struct value v = *a;
    if (a->kind == VALUE_STR || a->kind == VALUE_BYTES)
        return expr_join(x, *a, *b);
    v.n_items = a->n_items + b->n_items;
    v.items = arena_array(x->env->arena, v.n_items, sizeof *v.items);
    if (a->n_items)
        memcpy(v.items, a->items, a->n_items * sizeof *v.items);
    if (b->n_items)
        memcpy(v.items + a->n_items, b->items, b->n_items * sizeof *v.items);
    return v;
}

static struct value integers(char op, int64_t a, int64_t b)
{
    int64_t r = 0;
    switch (op) {
    case '+':
        return __builtin_add_overflow(a, b, &r) ? expr_unknown() : integer(r);
    case '-':
        return __builtin_sub_overflow(a, b, &r) ? expr_unknown() : integer(r);
    case '*':
        return __builtin_mul_overflow(a, b, &r) ? expr_unknown() : integer(r);
    case '/':
        return b ? (struct value){.kind = VALUE_FLOAT, .f = (double)a / (double)b} : expr_unknown();
    case 'd':
    case '%':
        if (b == 0 || b == -1)
            return expr_unknown();
        r = a / b - ((a % b != 0) && ((a < 0) != (b < 0)));
        return integer(op == 'd' ? r : a - r * b);
    case 'p':
        if (b < 0)
            return expr_unknown();
        for (r = 1; b > 0; b--)
            if (__builtin_mul_overflow(r, a, &r) || b > 64)
                return expr_unknown();
        return integer(r);
    case '<':
        return b < 0 || b > 62 || a < 0 || a >> (62 - b) ? expr_unknown() : integer(a << b);
    case '>':
        return b < 0 || b > 62 ? expr_unknown() : integer(a >> b);
    case '&':
        return integer(a & b);
    case '|':
        return integer(a | b);
    case '^':
        return integer(a ^ b);
    default:
        return expr_unknown();
    }
}

static struct value binary(struct expr *x, char op, const struct value *a, const struct value *b)
{
    bool sequence = a->kind == VALUE_STR || a->kind == VALUE_BYTES || a->kind == VALUE_LIST || a->kind == VALUE_TUPLE;
    bool right = b->kind == VALUE_STR || b->kind == VALUE_BYTES || b->kind == VALUE_LIST || b->kind == VALUE_TUPLE;
    if (op == '+' && sequence && a->kind == b->kind)
        return concatenate(x, a, b);
    if (op == '*' && sequence && is_integer(b))
        return repeat(x, a, b);
    if (op == '*' && right && is_integer(a))
        return repeat(x, b, a);
    if ((op == '+' || op == '-') && is_number(a) && b->kind == VALUE_COMPLEX && !b->text.n)
        return complex_sum(x, a, b, op == '-');
    if (is_integer(a) && is_integer(b))
        return integers(op, a->i, b->i);
    if (is_number(a) && is_number(b)) {
        double u = as_double(a), v = as_double(b);
        if (op == '+' || op == '-' || op == '*')
            return (struct value){.kind = VALUE_FLOAT, .f = op == '+' ? u + v : op == '-' ? u - v : u * v};
        if (op == '/' && v != 0)
            return (struct value){.kind = VALUE_FLOAT, .f = u / v};
        if (op == 'p' && (u > 0 || v == floor(v)))
            return (struct value){.kind = VALUE_FLOAT, .f = pow(u, v)};
    }
    return expr_unknown();
}

static struct value parse_unary(struct expr *x)
{
    struct value v;
    if (!expr_enter(x)) {
        x->depth--;
        return expr_unknown();
    }
    expr_skip(x);
    if (x->p < x->end && (*x->p == '-' || *x->p == '+' || *x->p == '~')) {
        char op = *x->p++;
        v = parse_unary(x);
        if (op == '-' && is_integer(&v) && v.i != INT64_MIN)
            v = integer(-v.i);
        else if (op == '-' && (v.kind == VALUE_FLOAT || (v.kind == VALUE_COMPLEX && !v.text.n)))
            v.f = -v.f;
        else if (op == '~' && is_integer(&v))
            v = integer(~v.i);
        else if (!(op == '+' && is_number(&v)))
            v = expr_unknown();
        if (op == '+' && v.kind == VALUE_BOOL)
            v.kind = VALUE_INT;
    } else {
        v = expr_postfix(x);
        if (!x->bad && expr_take(x, "**")) {
            struct value e = parse_unary(x);
            v = binary(x, 'p', &v, &e);
        }
    }
    x->depth--;
    return v;
}

/* Left-associative operators by level: * first. Ops: two-character forms are written as one letter. */
static char take_operator(struct expr *x, int level)
{
    static const char *const ops[] = {"*/%@", "+-", "<>", "&", "^", "|"};
    expr_skip(x);
    if (x->p >= x->end || !strchr(ops[level], *x->p) || !*x->p)
        return 0;
    char c = *x->p;
    bool twice = x->p + 1 < x->end && x->p[1] == c;
    if (x->p + 1 < x->end && x->p[1] == '=' && level != 2)
        return 0;
    if (level == 2 && !twice)
        return 0;
    if (c == '*' && twice)
        return 0;
    x->p += level == 2 || (c == '/' && twice) ? 2 : 1;
    return c == '/' && twice ? 'd' : c;
}

static struct value parse_level(struct expr *x, int level)
{
    struct value v = level == 0 ? parse_unary(x) : parse_level(x, level - 1);
    char op;
    while (!x->bad && (op = take_operator(x, level))) {
        struct value r = level == 0 ? parse_unary(x) : parse_level(x, level - 1);
        if (!(level == 1 && ((v.kind == VALUE_COMPLEX && v.text.n))))
            v = binary(x, op, &v, &r);
        else
            v = expr_unknown();
    }
    return v;
}

static struct value truth(int t)
{
    return t < 0 ? expr_unknown() : (struct value){.kind = VALUE_BOOL, .i = t};
}

static int not_(int t)
{
    return t < 0 ? t : !t;
}

static int contains(struct expr *x, const struct value *item, const struct value *in)
{
    if (in->kind == VALUE_STR)
        return item->kind == VALUE_STR ? str_contains(in->text, item->text) : -1;
    struct value *items = in->items;
    uint32_t n = in->n_items, step = in->kind == VALUE_DICT ? 2 : 1;
    (void)x;
    if (in->kind != VALUE_LIST && in->kind != VALUE_TUPLE && in->kind != VALUE_SET && in->kind != VALUE_DICT)
        return -1;
    int found = 0;
    for (uint32_t i = 0; i < n; i += step) {
        int e = value_equal(item, &items[i]);
        if (e == 1)
            return 1;
        found = e < 0 ? -1 : found;
    }
    return found;
}

static int identical(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_UNKNOWN || b->kind == VALUE_UNKNOWN || a->kind == VALUE_EXTERNAL || b->kind == VALUE_EXTERNAL)
        return -1;
    if (a->kind == VALUE_NONE || b->kind == VALUE_NONE)
        return a->kind == b->kind;
    if (a->kind == VALUE_BOOL && b->kind == VALUE_BOOL)
        return a->i == b->i;
    return -1;
}

static struct value parse_comparison(struct expr *x)
{
    struct value a = parse_level(x, 5);
    int all = 1;
    bool any = false;
    while (!x->bad) {
        int r;
        bool lt, eq;
        if (expr_take(x, "==") || expr_take(x, "!=")) {
            bool ne = x->p[-2] == '!';
            struct value b = parse_level(x, 5);
            r = value_equal(&a, &b);
            r = ne ? not_(r) : r;
            a = b;
        } else if ((lt = expr_take(x, "<")) || expr_take(x, ">")) {
            eq = x->p < x->end && *x->p == '=';
            x->p += eq;
            struct value b = parse_level(x, 5);
            r = lt != eq ? value_less(lt ? &a : &b, lt ? &b : &a) : not_(value_less(lt ? &b : &a, lt ? &a : &b));
            if (!lt && eq)
                r = not_(value_less(&a, &b));
            else if (lt && eq)
                r = not_(value_less(&b, &a));
            else
                r = lt ? value_less(&a, &b) : value_less(&b, &a);
            a = b;
        } else if (expr_take_word(x, "in")) {
            struct value b = parse_level(x, 5);
            r = contains(x, &a, &b);
            a = b;
        } else if (expr_take_word(x, "is")) {
            bool no = expr_take_word(x, "not");
            struct value b = parse_level(x, 5);
            r = identical(&a, &b);
            r = no ? not_(r) : r;
            a = b;
        } else {
            const char *before = x->p;
            if (!expr_take_word(x, "not"))
                break;
            if (!expr_take_word(x, "in")) {
                x->p = before;
                break;
            }
            struct value b = parse_level(x, 5);
            r = not_(contains(x, &a, &b));
            a = b;
        }
        any = true;
        all = all == 0 || r == 0 ? 0 : all < 0 || r < 0 ? -1 : 1;
    }
    return any ? truth(all) : a;
}

static struct value parse_not(struct expr *x)
{
    if (!expr_enter(x)) {
        x->depth--;
        return expr_unknown();
    }
    struct value v;
    if (expr_take_word(x, "not")) {
        v = parse_not(x);
        v = truth(not_(value_truth(&v)));
    } else {
        v = parse_comparison(x);
    }
    x->depth--;
    return v;
}

static struct value parse_and(struct expr *x)
{
    struct value v = parse_not(x);
    while (!x->bad && expr_take_word(x, "and")) {
        struct value r = parse_not(x);
        int a = value_truth(&v), b = value_truth(&r);
        if (a == 1)
            v = r;
        else if (a < 0)
            v = b == 0 ? (struct value){.i = VALUE_IS_FALSE} : expr_unknown();
    }
    return v;
}

static struct value parse_or(struct expr *x)
{
    struct value v = parse_and(x);
    while (!x->bad && expr_take_word(x, "or")) {
        struct value r = parse_and(x);
        int a = value_truth(&v), b = value_truth(&r);
        if (a == 0)
            v = r;
        else if (a < 0)
            v = b == 1 ? (struct value){.i = VALUE_IS_TRUE} : expr_unknown();
    }
    return v;
}

static struct value parse_lambda(struct expr *x)
{
    struct str rest = {x->p, (size_t)(x->end - x->p)};
    size_t colon = split_find(rest, ':');
    if (colon >= rest.n)
        return expr_fail(x);
    x->p += colon + 1;
    expr_parse(x);
    return (struct value){.kind = VALUE_NAMED, .text = STR("<lambda>")};
}

struct value expr_parse(struct expr *x)
{
    struct value v;
    if (!expr_enter(x)) {
        x->depth--;
        return expr_unknown();
    }
    if (expr_take_word(x, "lambda")) {
        v = parse_lambda(x);
    } else {
        v = parse_or(x);
        if (!x->bad && expr_take_word(x, "if")) {
            struct value c = parse_or(x);
            if (!expr_take_word(x, "else")) {
                v = expr_fail(x);
            } else {
                struct value other = expr_parse(x);
                int t = value_truth(&c);
                v = t == 1 ? v : t == 0 ? other : expr_unknown();
            }
        } else if (expr_take(x, ":=")) {
            expr_parse(x);
            v = expr_unknown();
        }
    }
    x->depth--;
    return v;
}
