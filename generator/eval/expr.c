#include "generator/eval/expr_parse.h"

#include <stdlib.h>
#include <string.h>

/* The grammar: Python reference, chapter "Expressions". One function a level, lowest binding last. */

/* ---- tokens ---- */

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

void expr_blank(struct expr *x)
{
    while (x->p < x->end) {
        char c = *x->p;
        if (c == '#') {
            const char *nl = memchr(x->p, '\n', (size_t)(x->end - x->p));
            x->p = nl ? nl : x->end;
        } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' ||
                   (c == '\\' && x->p + 1 < x->end && (x->p[1] == '\n' || x->p[1] == '\r'))) {
            x->p++;
        } else {
            return;
        }
    }
}

bool expr_take(struct expr *x, const char *operator)
{
    expr_blank(x);
    const char *p = x->p;
    for (; *operator; operator++, p++)
        if (p >= x->end || *p != *operator)
            return false;
    x->p = p;
    return true;
}

struct str expr_peek_word(struct expr *x)
{
    expr_blank(x);
    struct str w = {x->p, 0};
    if (x->p < x->end && *x->p >= '0' && *x->p <= '9')
        return w;
    while (x->p + w.n < x->end && is_word(x->p[w.n]))
        w.n++;
    return w;
}

bool expr_take_word(struct expr *x, const char *word)
{
    expr_blank(x);
    if (x->p >= x->end || *x->p != *word)
        return false;
    struct str w = expr_peek_word(x);
    if (!expr_is(w, word))
        return false;
    x->p += w.n;
    return true;
}

static bool at(struct expr *x, char c)
{
    expr_blank(x);
    return x->p < x->end && *x->p == c;
}

bool expr_enter(struct expr *x)
{
    if (++x->depth > EXPR_MAX_DEPTH)
        x->bad = true;
    return !x->bad;
}

struct value expr_fail(struct expr *x)
{
    x->bad = true;
    return expr_unknown();
}

/* ---- arguments ---- */

struct keywords {
    struct value_keyword *items;
    size_t n, cap;
    bool unknown;
};

static void add_keyword(struct expr *x, struct keywords *k, struct str name, struct value v)
{
    if (x->skip)
        return;
    k->items = xgrow(k->items, &k->cap, k->n + 1, sizeof *k->items);
    k->items[k->n++] = (struct value_keyword){name, v};
}

static void spread_keywords(struct expr *x, struct keywords *k, const struct value *v)
{
    k->unknown = k->unknown || v->kind != VALUE_DICT;
    for (uint32_t i = 0; v->kind == VALUE_DICT && i + 1 < v->n_items; i += 2) {
        k->unknown = k->unknown || v->items[i].kind != VALUE_STR;
        add_keyword(x, k, v->items[i].text, v->items[i + 1]);
    }
}

/* "name=" before an argument; the position stays where it was when there is none. */
static struct str keyword_name(struct expr *x)
{
    struct str w = expr_peek_word(x);
    const char *start = x->p;
    x->p += w.n;
    if (w.n && at(x, '=') && !(x->p + 1 < x->end && x->p[1] == '=')) {
        x->p++;
        return w;
    }
    x->p = start;
    return (struct str){start, 0};
}

static void read_argument(struct expr *x, struct expr_items *l, struct keywords *k)
{
    struct value v;
    if (expr_take(x, "**")) {
        v = expr_read(x);
        spread_keywords(x, k, &v);
    } else if (expr_take(x, "*")) {
        v = expr_read(x);
        expr_items_spread(x, l, &v);
    } else {
        struct str name = keyword_name(x);
        if (!name.n && expr_has_for(x)) {
            v = expr_read_comprehension(x, false);
            v = expr_iterator(v);
        } else {
            v = expr_read(x);
        }
        if (name.n)
            add_keyword(x, k, name, v);
        else
            expr_items_add(x, l, v);
    }
}

struct value expr_read_arguments(struct expr *x, bool to_end)
{
    struct expr_items l = {0};
    struct keywords k = {0};
    bool closed = false;
    while (!x->bad && !closed) {
        expr_blank(x);
        closed = to_end ? x->p >= x->end : expr_take(x, ")");
        if (closed)
            break;
        read_argument(x, &l, &k);
        if (!expr_take(x, ",")) {
            closed = to_end ? x->p >= x->end : expr_take(x, ")");
            x->bad = x->bad || !closed;
        }
    }
    l.unknown = l.unknown || k.unknown;
    struct value v = expr_items_end(x, &l, VALUE_TUPLE);
    if (v.kind == VALUE_TUPLE && k.n) {
        v.keywords = arena_array(x->env->arena, k.n, sizeof *v.keywords);
        memcpy(v.keywords, k.items, k.n * sizeof *k.items);
        v.n_keywords = (uint32_t)k.n;
    }
    free(k.items);
    return v;
}

/* ---- what follows an atom ---- */

/* After "[": an index, or the parts of a slice. */
static struct value read_subscript(struct expr *x, const struct value *v)
{
    struct value parts[3] = {{.kind = VALUE_NONE}, {.kind = VALUE_NONE}, {.kind = VALUE_NONE}};
    struct expr_items l = {0};
    int colons = 0;
    bool comma = false;
    while (!x->bad && !expr_take(x, "]")) {
        if (expr_take(x, ":")) {
            x->bad = ++colons > 2;
            continue;
        }
        if (expr_take(x, ",")) {
            comma = true;
            continue;
        }
        parts[colons] = expr_read(x);
        if (!comma || !x->skip)
            expr_items_add(x, &l, parts[colons]);
        if (!at(x, ']') && !at(x, ':') && !at(x, ','))
            x->bad = true;
    }
    struct value index = expr_items_end(x, &l, VALUE_TUPLE);
    if (x->bad || x->skip || (comma && colons) || (!colons && !index.n_items))
        return expr_unknown();
    if (colons)
        return expr_slice(x, v, parts);
    return expr_index(x, v, comma ? &index : &parts[0]);
}

static struct value read_dotted(struct expr *x, const struct value *v)
{
    struct str name = expr_peek_word(x);
    if (!name.n)
        return expr_fail(x);
    x->p += name.n;
    bool method = v->kind != VALUE_NAMED && v->kind != VALUE_EXTERNAL && v->kind != VALUE_UNKNOWN;
    if (!method || !at(x, '('))
        return x->skip ? expr_unknown() : expr_attribute(x, v, name);
    x->p++;
    struct value args = expr_read_arguments(x, false);
    return x->skip || x->bad ? expr_unknown() : expr_method(x, v, name, &args);
}

static struct value read_postfix(struct expr *x)
{
    struct value v = expr_read_atom(x);
    while (!x->bad) {
        expr_blank(x);
        char c = x->p < x->end ? *x->p : '\0';
        if (c != '.' && c != '(' && c != '[')
            break;
        x->p++;
        if (++x->steps > EXPR_MAX_STEPS)
            return expr_fail(x);
        if (c == '.') {
            v = read_dotted(x, &v);
        } else if (c == '[') {
            v = read_subscript(x, &v);
        } else {
            struct value args = expr_read_arguments(x, false);
            v = x->skip || x->bad ? expr_unknown() : expr_call(x, &v, &args);
        }
    }
    return v;
}

/* ---- operators ---- */

static struct value read_power(struct expr *x)
{
    struct value v = read_postfix(x);
    if (!x->bad && expr_take(x, "**")) {
        struct value e = expr_read_unary(x);
        v = expr_binary(x, 'p', &v, &e);
    }
    return v;
}

struct value expr_read_unary(struct expr *x)
{
    struct value v = expr_unknown();
    expr_blank(x);
    char op = x->p < x->end ? *x->p : '\0';
    if (expr_enter(x)) {
        if (op == '-' || op == '+' || op == '~') {
            x->p++;
            v = expr_read_unary(x);
            v = expr_negate(x, op, &v);
        } else {
            v = read_power(x);
        }
    }
    x->depth--;
    return v;
}

/* A binary operator of this level, as expr_binary names it, or 0. */
static char take_operator(struct expr *x, int level)
{
    static const char *const levels[] = {"*/%@", "+-", "<>", "&", "^", "|"};
    expr_blank(x);
    if (x->p >= x->end || !*x->p || !strchr(levels[level], *x->p))
        return 0;
    char c = *x->p;
    bool twice = x->p + 1 < x->end && x->p[1] == c;
    const char *after = x->p + (twice ? 2 : 1);
    bool assigns = after < x->end && *after == '=' && (c != '<' || twice) && (c != '>' || twice);
    if (assigns || (level == 2 && !twice) || (twice && c == '*'))
        return 0;
    x->p += level == 2 || (c == '/' && twice) ? 2 : 1;
    return c == '/' && twice ? 'd' : c;
}

/* Behind an operand: no binary operator and no comparison is here, as behind nearly all. */
static bool ends(struct expr *x)
{
    expr_blank(x);
    return x->p >= x->end || strchr(",)]}:", *x->p);
}

/* Operators up to this level; the lower ones bind first. */
static struct value read_level(struct expr *x, int level)
{
    struct value v = expr_read_unary(x);
    if (ends(x))
        return v;
    for (int l = 0; l <= level; l++)
        for (char op; !x->bad && (op = take_operator(x, l)) != 0;) {
            struct value r = l == 0 ? expr_read_unary(x) : read_level(x, l - 1);
            if (!x->skip && !x->bad)
                v = expr_binary(x, op, &v, &r);
        }
    return v;
}

enum comparison { COMPARE_NONE, COMPARE_EQ, COMPARE_NE, COMPARE_LT, COMPARE_GT, COMPARE_LE, COMPARE_GE,
                  COMPARE_IN, COMPARE_NOT_IN, COMPARE_IS, COMPARE_IS_NOT };

static enum comparison take_comparison(struct expr *x)
{
    static const struct { const char *text; enum comparison what; } table[] = {
        {"==", COMPARE_EQ}, {"!=", COMPARE_NE}, {"<=", COMPARE_LE}, {">=", COMPARE_GE}, {"<", COMPARE_LT},
        {">", COMPARE_GT}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (expr_take(x, table[i].text))
            return table[i].what;
    if (expr_take_word(x, "in"))
        return COMPARE_IN;
    if (expr_take_word(x, "is"))
        return expr_take_word(x, "not") ? COMPARE_IS_NOT : COMPARE_IS;
    const char *before = x->p;
    if (expr_take_word(x, "not")) {
        if (expr_take_word(x, "in"))
            return COMPARE_NOT_IN;
        x->p = before;
    }
    return COMPARE_NONE;
}

static int not_(int t)
{
    return t < 0 ? t : !t;
}

static int identical(const struct value *a, const struct value *b)
{
    bool unknown = a->kind == VALUE_UNKNOWN || b->kind == VALUE_UNKNOWN;
    if (unknown || a->kind == VALUE_EXTERNAL || b->kind == VALUE_EXTERNAL)
        return -1;
    bool single = a->kind == VALUE_NONE || a->kind == VALUE_BOOL || b->kind == VALUE_NONE || b->kind == VALUE_BOOL;
    if (single)
        return a->kind == b->kind && a->i == b->i;
    return a->kind == VALUE_NAMED && b->kind == VALUE_NAMED ? value_equal(a, b) : -1;
}

/* a <= b of numbers with nan, or of tuples that hold one, is not the opposite of b < a. */
static int at_most(const struct value *a, const struct value *b)
{
    int l = value_less(a, b);
    if (l != 0)
        return l;
    int e = value_equal(a, b);
    return e != 0 ? e : value_less(b, a) == 1 || (expr_is_number(a) && expr_is_number(b)) ? 0 : -1;
}

static int compare(struct expr *x, enum comparison how, const struct value *a, const struct value *b)
{
    switch (how) {
    case COMPARE_EQ:
        return value_equal(a, b);
    case COMPARE_NE:
        return not_(value_equal(a, b));
    case COMPARE_LT:
        return value_less(a, b);
    case COMPARE_GT:
        return value_less(b, a);
    case COMPARE_LE:
        return at_most(a, b);
    case COMPARE_GE:
        return at_most(b, a);
    case COMPARE_IN:
        return expr_contains(x, a, b);
    case COMPARE_NOT_IN:
        return not_(expr_contains(x, a, b));
    case COMPARE_IS:
        return identical(a, b);
    case COMPARE_IS_NOT:
        return not_(identical(a, b));
    case COMPARE_NONE:
        break;
    }
    return -1;
}

/* a < b < c is a < b and b < c. */
static struct value read_comparison(struct expr *x)
{
    struct value a = read_level(x, 5);
    enum comparison how;
    int all = 1;
    bool any = false;
    while (!x->bad && !ends(x) && (how = take_comparison(x)) != COMPARE_NONE) {
        struct value b = read_level(x, 5);
        int r = x->skip || x->bad ? -1 : compare(x, how, &a, &b);
        all = all == 0 || r == 0 ? 0 : all < 0 || r < 0 ? -1 : 1;
        a = b;
        any = true;
    }
    return any ? expr_bool(all) : a;
}

static struct value read_not(struct expr *x)
{
    struct value v = expr_unknown();
    if (expr_enter(x)) {
        if (expr_take_word(x, "not")) {
            v = read_not(x);
            v = expr_bool(not_(value_truth(&v)));
        } else {
            v = read_comparison(x);
        }
    }
    x->depth--;
    return v;
}

/* What cannot be known may still decide: "unknown and False" is one of two that are both false. */
static struct value undecided(int truth)
{
    return (struct value){.kind = VALUE_UNKNOWN, .i = truth == 1 ? VALUE_IS_TRUE : truth == 0 ? VALUE_IS_FALSE : 0};
}

static struct value read_and(struct expr *x)
{
    struct value v = read_not(x);
    while (!x->bad && expr_take_word(x, "and")) {
        int a = value_truth(&v);
        x->skip += a == 0;
        struct value r = read_not(x);
        x->skip -= a == 0;
        if (a == 1)
            v = r;
        else if (a < 0)
            v = undecided(value_truth(&r) == 0 ? 0 : -1);
    }
    return v;
}

struct value expr_read_or(struct expr *x)
{
    struct value v = read_and(x);
    while (!x->bad && expr_take_word(x, "or")) {
        int a = value_truth(&v);
        x->skip += a == 1;
        struct value r = read_and(x);
        x->skip -= a == 1;
        if (a == 0)
            v = r;
        else if (a < 0)
            v = undecided(value_truth(&r) == 1 ? 1 : -1);
    }
    return v;
}

/* After "lambda": parameters with defaults, and a body that nobody calls. */
static struct value read_lambda(struct expr *x)
{
    x->skip++;
    while (!x->bad && !expr_take(x, ":")) {
        while (expr_take(x, "*") || expr_take(x, "/") || expr_take(x, ","))
            ;
        struct str name = expr_peek_word(x);
        x->p += name.n;
        if (name.n && expr_take(x, "="))
            expr_read(x);
        x->bad = x->bad || (!at(x, ':') && (!name.n || !at(x, ',')));
    }
    if (!x->bad)
        expr_read(x);
    x->skip--;
    return (struct value){.kind = VALUE_NAMED, .text = STR("<lambda>"), .i = 1};
}

static struct value read_conditional(struct expr *x)
{
    struct value v = expr_read_or(x);
    if (!x->bad && expr_take_word(x, "if")) {
        struct value condition = expr_read_or(x);
        if (x->bad || !expr_take_word(x, "else"))
            return expr_fail(x);
        int t = value_truth(&condition);
        struct value other = expr_read(x);
        v = t == 1 ? v : t == 0 ? other : expr_unknown();
    }
    if (!x->bad && x->end - x->p > 1 && x->p[0] == ':' && x->p[1] == '=')
        return expr_fail(x); /* it binds a name: what follows could look at it */
    return v;
}

struct value expr_read(struct expr *x)
{
    struct value v = expr_unknown();
    if (expr_enter(x))
        v = expr_take_word(x, "lambda") ? read_lambda(x) : read_conditional(x);
    x->depth--;
    return x->skip || x->bad ? expr_unknown() : v;
}

/* ---- entry ---- */

struct value expr_eval(const struct expr_env *env, struct str text)
{
    struct expr x = {.env = env, .p = text.p, .end = text.p + text.n};
    struct expr_items l = {0};
    struct value v = expr_unknown();
    bool comma = false;
    do { /* a bare "1, 2" is a tuple */
        bool star = expr_take(&x, "*");
        v = expr_read(&x);
        if (star)
            expr_items_spread(&x, &l, &v);
        else
            expr_items_add(&x, &l, v);
        bool more = !x.bad && expr_take(&x, ",");
        comma = comma || more;
        x.bad = x.bad || (star && !comma);
        expr_blank(&x);
        if (!more)
            break;
    } while (!x.bad && x.p < x.end);
    x.bad = x.bad || x.p < x.end;
    struct value all = expr_items_end(&x, &l, VALUE_TUPLE);
    return x.bad ? expr_unknown() : comma ? all : v;
}

struct value expr_arguments(const struct expr_env *env, struct str text)
{
    struct expr x = {.env = env, .p = text.p, .end = text.p + text.n};
    struct value v = expr_read_arguments(&x, true);
    return x.bad ? expr_unknown() : v;
}

struct value expr_apply(struct arena *a, const struct value *f, const struct value *argument)
{
    struct expr_env env = {.arena = a};
    struct expr x = {.env = &env};
    struct value one = *argument, args = expr_sequence(VALUE_TUPLE, &one, 1, EXPR_PLAIN_SEQUENCE);
    struct value v = f->kind == VALUE_NAMED && !f->ref ? expr_builtin(&x, f, &args) : expr_unknown();
    return x.bad ? expr_unknown() : v;
}
