#include "generator/expr_parse.h"

#include <stdlib.h>
#include <string.h>

/* Calls whose result has no id of its own, whatever the arguments: no str, number, __name__ or the like. */
static const char *const plain[] = {
    "object", "slice", "bytearray", "frozenset", "memoryview", "decimal.Decimal", "fractions.Fraction", "datetime.date", "datetime.datetime",
    "datetime.time", "datetime.timedelta", "datetime.timezone", "uuid.UUID", "pathlib.Path", "pathlib.PurePath",
    "pathlib.PosixPath", "pathlib.PurePosixPath", "pathlib.PureWindowsPath", "collections.OrderedDict",
    "collections.Counter", "collections.deque", "collections.defaultdict", "types.SimpleNamespace", "array.array", "io.StringIO", "io.BytesIO",
    "numpy.array", "numpy.zeros", "numpy.ones", "numpy.arange", "numpy.empty", "numpy.eye", "numpy.linspace",
    "threading.Lock", "functools.partial", "random.Random"};

struct value expr_sequence(enum value_kind kind, struct value *items, uint32_t n)
{
    return (struct value){.kind = kind, .items = items, .n_items = n};
}

static struct value unknown(void)
{
    return (struct value){0};
}

static struct value integer(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .i = i};
}

static struct value *array(const struct expr *x, size_t n)
{
    return arena_array(x->env->arena, n, sizeof(struct value));
}

bool expr_items(const struct expr *x, const struct value *v, struct value **items, uint32_t *n)
{
    *items = v->items;
    *n = v->n_items;
    bool generator = v->kind == VALUE_NAMED && str_eq(v->text, STR("<genexpr>"));
    if (v->kind == VALUE_TUPLE || v->kind == VALUE_LIST || generator || (v->kind == VALUE_SET && v->n_items < 2))
        return true;
    if (v->kind == VALUE_DICT) {
        *n = v->n_items / 2;
        *items = array(x, *n);
        for (uint32_t i = 0; i < *n; i++)
            (*items)[i] = v->items[2 * i];
        return true;
    }
    if (v->kind == VALUE_BYTES && v->text.n < EXPR_MAX_ITEMS) {
        *n = (uint32_t)v->text.n;
        *items = array(x, *n);
        for (uint32_t i = 0; i < *n; i++)
            (*items)[i] = integer((unsigned char)v->text.p[i]);
        return true;
    }
    if (v->kind != VALUE_STR || v->text.n > EXPR_MAX_ITEMS)
        return false;
    *items = array(x, v->text.n);
    *n = 0;
    for (size_t i = 0; i < v->text.n;) {
        size_t len = 1;
        while (i + len < v->text.n && ((unsigned char)v->text.p[i + len] & 0xc0) == 0x80)
            len++;
        (*items)[(*n)++] = (struct value){.kind = VALUE_STR, .text = str_slice(v->text, i, i + len)};
        i += len;
    }
    return true;
}

/* A range, a view or an iterator: the items are known, what repr() and == say is not. */
static struct value lazy(enum value_kind kind, struct value *items, size_t n)
{
    struct value v = expr_sequence(kind, items, (uint32_t)n);
    v.called = true;
    return v;
}

/* ---- builtins ---- */

static struct value call_range(const struct expr *x, const struct value *a)
{
    int64_t from = 0, to, by = 1;
    for (uint32_t i = 0; i < a->n_items; i++)
        if (a->items[i].kind != VALUE_INT && a->items[i].kind != VALUE_BOOL)
            return unknown();
    if (a->n_items == 0 || a->n_items > 3)
        return unknown();
    to = a->items[a->n_items > 1].i;
    if (a->n_items > 1)
        from = a->items[0].i;
    if (a->n_items > 2)
        by = a->items[2].i;
    if (by == 0 || llabs(to / 2 - from / 2) / llabs(by) > EXPR_MAX_ITEMS / 2 - 1)
        return unknown();
    int64_t n = by > 0 ? (to > from ? (to - from + by - 1) / by : 0) : (to < from ? (from - to - by - 1) / -by : 0);
    struct value *items = array(x, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        items[i] = integer(from + i * by);
    return lazy(VALUE_TUPLE, items, (size_t)n);
}

static struct value call_enumerate(const struct expr *x, const struct value *a, struct value *items, uint32_t n)
{
    const struct value *start = a->n_items > 1 ? &a->items[1] : value_keyword(a, STR("start"));
    int64_t first = 0;
    if (start && start->kind != VALUE_INT)
        return unknown();
    if (start)
        first = start->i;
    struct value *out = array(x, n);
    for (uint32_t i = 0; i < n; i++) {
        struct value *pair = array(x, 2);
        pair[0] = integer(first + i);
        pair[1] = items[i];
        out[i] = expr_sequence(VALUE_TUPLE, pair, 2);
    }
    return lazy(VALUE_LIST, out, n);
}

static struct value call_zip(const struct expr *x, const struct value *a)
{
    struct value *lists[16];
    uint32_t counts[16], n = UINT32_MAX;
    if (a->n_items == 0 || a->n_items > 16)
        return unknown();
    for (uint32_t i = 0; i < a->n_items; i++) {
        if (!expr_items(x, &a->items[i], &lists[i], &counts[i]))
            return unknown();
        n = counts[i] < n ? counts[i] : n;
    }
    struct value *out = array(x, n);
    for (uint32_t i = 0; i < n; i++) {
        struct value *tuple = array(x, a->n_items);
        for (uint32_t k = 0; k < a->n_items; k++)
            tuple[k] = lists[k][i];
        out[i] = expr_sequence(VALUE_TUPLE, tuple, a->n_items);
    }
    return lazy(VALUE_LIST, out, n);
}

static struct value call_sorted(const struct expr *x, const struct value *a, struct value *items, uint32_t n)
{
    if (a->n_keywords || n > 2000)
        return unknown();
    struct value *out = array(x, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t k = i;
        for (; k > 0; k--) {
            int less = value_less(&items[i], &out[k - 1]);
            if (less < 0)
                return unknown();
            if (!less)
                break;
            out[k] = out[k - 1];
        }
        out[k] = items[i];
    }
    return expr_sequence(VALUE_LIST, out, n);
}

static struct value call_dict(const struct expr *x, const struct value *a)
{
    if (a->n_items)
        return a->n_items == 1 && a->items[0].kind == VALUE_DICT && !a->n_keywords ? a->items[0] : unknown();
    struct value *items = array(x, a->n_keywords * 2u);
    for (uint32_t i = 0; i < a->n_keywords; i++) {
        items[2 * i] = (struct value){.kind = VALUE_STR, .text = a->keywords[i].name};
        items[2 * i + 1] = a->keywords[i].value;
    }
    return expr_sequence(VALUE_DICT, items, a->n_keywords * 2);
}

static struct value text_value(const struct expr *x, struct buf *b)
{
    struct value v = {.kind = VALUE_STR, .text = {arena_dup(x->env->arena, b->p ? b->p : "", b->n), b->n}};
    buf_release(b);
    return v;
}

static struct value call_text(const struct expr *x, const struct value *v, bool repr)
{
    struct buf b = {0};
    if (repr ? value_repr(v, &b) : value_str(v, &b))
        return text_value(x, &b);
    buf_release(&b);
    return unknown();
}

static struct value call_float(const struct value *v)
{
    char text[64], *end;
    if (v->kind == VALUE_FLOAT)
        return *v;
    if (v->kind == VALUE_INT || v->kind == VALUE_BOOL)
        return (struct value){.kind = VALUE_FLOAT, .f = (double)v->i};
    if (v->kind != VALUE_STR || v->text.n >= sizeof text || !v->text.n)
        return unknown();
    memcpy(text, v->text.p, v->text.n);
    text[v->text.n] = '\0';
    double f = strtod(text, &end);
    return *end || strchr(text, 'x') || strchr(text, 'X') ? unknown() : (struct value){.kind = VALUE_FLOAT, .f = f};
}

static int64_t length(const struct value *v)
{
    switch (v->kind) {
    case VALUE_TUPLE:
    case VALUE_LIST:
        return v->n_items;
    case VALUE_DICT:
        return -1; /* keys may be equal */
    case VALUE_STR:
        for (size_t i = 0; i < v->text.n; i++)
            if ((unsigned char)v->text.p[i] >= 0x80)
                return -1;
        return (int64_t)v->text.n;
    case VALUE_BYTES:
        return (int64_t)v->text.n;
    default:
        return -1;
    }
}

static bool is(const struct value *f, const char *name)
{
    return str_eq(f->text, str_z(name));
}

static struct value call_builtin(const struct expr *x, const struct value *f, const struct value *a)
{
    struct value *items = NULL;
    uint32_t n = 0;
    const struct value *first = a->n_items ? &a->items[0] : NULL;
    if (is(f, "range"))
        return call_range(x, a);
    if (is(f, "zip"))
        return call_zip(x, a);
    if (is(f, "dict"))
        return call_dict(x, a);
    if (is(f, "object") || is(f, "slice") || is(f, "bytearray"))
        return (struct value){.kind = VALUE_PLAIN};
    if (!first) {
        if (is(f, "list") || is(f, "tuple"))
            return expr_sequence(is(f, "list") ? VALUE_LIST : VALUE_TUPLE, NULL, 0);
        if (is(f, "str"))
            return (struct value){.kind = VALUE_STR, .text = STR("")};
        return is(f, "set") ? expr_sequence(VALUE_SET, NULL, 0) : unknown();
    }
    if ((is(f, "str") || is(f, "repr")) && a->n_items == 1 && !a->n_keywords)
        return call_text(x, first, is(f, "repr"));
    if (is(f, "float") && a->n_items == 1)
        return call_float(first);
    if (is(f, "int") && a->n_items == 1 && (first->kind == VALUE_INT || first->kind == VALUE_BOOL))
        return integer(first->i);
    if (is(f, "bool") && value_truth(first) >= 0)
        return (struct value){.kind = VALUE_BOOL, .i = value_truth(first)};
    if (is(f, "abs") && first->kind == VALUE_INT && first->i > INT64_MIN)
        return integer(llabs(first->i));
    if (is(f, "len"))
        return length(first) >= 0 ? integer(length(first)) : unknown();
    if (is(f, "frozenset"))
        return first->kind == VALUE_UNKNOWN ? unknown() : (struct value){.kind = VALUE_PLAIN};
    if (is(f, "chr") && first->kind == VALUE_INT && first->i > 0 && first->i < 128) {
        struct buf b = {0};
        buf_char(&b, (char)first->i);
        return text_value(x, &b);
    }
    bool set = is(f, "sorted") && first->kind == VALUE_SET;
    if (!set && !expr_items(x, first, &items, &n))
        return unknown();
    if (is(f, "getattr")) /* of something known, else the callback was asked */
        return unknown();
    if (is(f, "list"))
        return expr_sequence(VALUE_LIST, items, n);
    if (is(f, "iter"))
        return lazy(VALUE_LIST, items, n);
    if (is(f, "tuple"))
        return expr_sequence(VALUE_TUPLE, items, n);
    if (is(f, "set"))
        return expr_sequence(VALUE_SET, items, n);
    if (is(f, "enumerate"))
        return call_enumerate(x, a, items, n);
    if (is(f, "sorted") && !set)
        return call_sorted(x, a, items, n);
    if (is(f, "reversed")) {
        struct value *out = array(x, n);
        for (uint32_t i = 0; i < n; i++)
            out[i] = items[n - 1 - i];
        return lazy(VALUE_LIST, out, n);
    }
    return unknown();
}

/* ---- itertools ---- */

static struct value call_product(const struct expr *x, const struct value *a)
{
    struct value *lists[16];
    uint32_t counts[16], at[16] = {0}, k = a->n_items;
    uint64_t total = 1;
    const struct value *repeat = value_keyword(a, STR("repeat"));
    uint32_t times = repeat && repeat->kind == VALUE_INT && repeat->i > 0 && repeat->i < 16 ? (uint32_t)repeat->i : 1;
    if ((repeat && (repeat->kind != VALUE_INT || repeat->i != times)) || k * times > 16 || k == 0)
        return unknown();
    for (uint32_t i = 0; i < k * times; i++) {
        if (!expr_items(x, &a->items[i % k], &lists[i], &counts[i]))
            return unknown();
        total *= counts[i];
        if (total > EXPR_MAX_ITEMS)
            return unknown();
    }
    k *= times;
    struct value *out = array(x, total);
    for (uint64_t i = 0; i < total; i++) {
        struct value *tuple = array(x, k);
        for (uint32_t j = 0; j < k; j++)
            tuple[j] = lists[j][at[j]];
        out[i] = expr_sequence(VALUE_TUPLE, tuple, k);
        for (uint32_t j = k; j > 0 && ++at[j - 1] == counts[j - 1]; j--)
            at[j - 1] = 0;
    }
    return lazy(VALUE_LIST, out, total);
}

/* Index tuples in lexicographic order; kind: 'c' combinations, 'r' with replacement, 'p' permutations. */
static struct value call_choose(const struct expr *x, const struct value *a, char kind)
{
    struct value *items;
    uint32_t n, at[16] = {0};
    if (a->n_items == 0 || !expr_items(x, &a->items[0], &items, &n))
        return unknown();
    int64_t r = kind == 'p' && a->n_items == 1 ? (int64_t)n : -1;
    if (a->n_items > 1 && a->items[1].kind == VALUE_INT)
        r = a->items[1].i;
    if (r < 0 || r > 12)
        return unknown();
    struct value *out = NULL;
    size_t count = 0, cap = 0, steps = 0;
    bool more = r == 0 || n > 0;
    while (more && count < EXPR_MAX_ITEMS && steps++ < 10 * EXPR_MAX_ITEMS) {
        bool good = true;
        for (int64_t i = 0; i < r; i++)
            for (int64_t k = 0; k < i; k++)
                good = good && (kind == 'p' ? at[i] != at[k] : kind == 'c' ? at[i] > at[k] : at[i] >= at[k]);
        if (good) {
            struct value *tuple = array(x, (size_t)r);
            for (int64_t i = 0; i < r; i++)
                tuple[i] = items[at[i]];
            out = xgrow(out, &cap, count + 1, sizeof *out);
            out[count++] = expr_sequence(VALUE_TUPLE, tuple, (uint32_t)r);
        }
        int64_t i = r;
        while (i > 0 && ++at[i - 1] == n)
            at[--i] = 0;
        more = i > 0;
    }
    struct value *kept = array(x, count);
    if (count)
        memcpy(kept, out, count * sizeof *kept);
    free(out);
    return more ? unknown() : lazy(VALUE_LIST, kept, count);
}

static struct value call_chain(const struct expr *x, const struct value *a)
{
    struct value *out = NULL, *items;
    size_t count = 0, cap = 0;
    uint32_t n;
    bool known = true;
    for (uint32_t i = 0; i < a->n_items && known; i++) {
        known = expr_items(x, &a->items[i], &items, &n) && count + n < EXPR_MAX_ITEMS;
        for (uint32_t k = 0; known && k < n; k++) {
            out = xgrow(out, &cap, count + 1, sizeof *out);
            out[count++] = items[k];
        }
    }
    struct value *kept = array(x, count);
    if (count)
        memcpy(kept, out, count * sizeof *kept);
    free(out);
    return known ? lazy(VALUE_LIST, kept, count) : unknown();
}

/* ---- pytest's own ---- */

static struct value call_mark(const struct expr *x, const struct value *f, const struct value *a)
{
    struct value v = *f;
    if (!f->called) {
        v.called = true;
        v.items = a->items;
        v.n_items = a->n_items;
        v.keywords = a->keywords;
        v.n_keywords = a->n_keywords;
        return v;
    }
    v.n_items = f->n_items + a->n_items; /* called again: both count */
    v.items = array(x, v.n_items);
    if (f->n_items)
        memcpy(v.items, f->items, f->n_items * sizeof *v.items);
    if (a->n_items)
        memcpy(v.items + f->n_items, a->items, a->n_items * sizeof *v.items);
    v.keywords = arena_array(x->env->arena, f->n_keywords + a->n_keywords, sizeof *v.keywords);
    v.n_keywords = 0;
    for (uint32_t i = 0; i < a->n_keywords; i++)
        v.keywords[v.n_keywords++] = a->keywords[i];
    for (uint32_t i = 0; i < f->n_keywords; i++)
        if (!value_keyword(a, f->keywords[i].name))
            v.keywords[v.n_keywords++] = f->keywords[i];
    return v;
}

/* Factories of classes that are given their names: the keyword, or the first argument. */
static bool call_factory(const struct value *f, const struct value *a, struct value *out)
{
    static const struct { const char *name, *keyword; } factories[] = {
        {"collections.namedtuple", "typename"}, {"typing.NamedTuple", "typename"}, {"enum.Enum", "value"},
        {"enum.IntEnum", "value"}, {"typing.NewType", "name"}, {"typing.TypeVar", "name"},
        {"attr.make_class", "name"}, {"attr._make.make_class", "name"}, {"attrs.make_class", "name"},
        {"dataclasses.make_dataclass", "cls_name"}, {"types.new_class", "name"},
        {"attr.cmp_using", "class_name"}, {"attr._cmp.cmp_using", "class_name"}, {"attrs.cmp_using", "class_name"}};
    for (size_t i = 0; i < sizeof factories / sizeof *factories; i++) {
        if (!is(f, factories[i].name))
            continue;
        bool first = !str_eq(str_z(factories[i].keyword), STR("class_name"));
        const struct value *name = value_keyword(a, str_z(factories[i].keyword));
        if (!name && first && a->n_items)
            name = &a->items[0];
        if (name && name->kind == VALUE_STR)
            *out = (struct value){.kind = VALUE_NAMED, .text = name->text};
        return true;
    }
    return false;
}

static struct value call_external(const struct expr *x, const struct value *f, const struct value *a)
{
    const struct value *first = a->n_items ? &a->items[0] : NULL;
    if (is(f, "pytest.param"))
        return (struct value){.kind = VALUE_PARAM, .items = a->items, .n_items = a->n_items, .keywords = a->keywords,
                              .n_keywords = a->n_keywords};
    struct value made = {0};
    if (call_factory(f, a, &made))
        return made;
    if (is(f, "re.compile"))
        return first && (first->kind == VALUE_STR || first->kind == VALUE_BYTES)
                   ? (struct value){.kind = VALUE_PATTERN, .text = first->text, .i = first->kind == VALUE_BYTES}
                   : unknown();
    if (is(f, "itertools.product"))
        return call_product(x, a);
    if (is(f, "itertools.combinations") || is(f, "itertools.permutations"))
        return call_choose(x, a, f->text.p[10] == 'c' ? 'c' : 'p');
    if (is(f, "itertools.combinations_with_replacement"))
        return call_choose(x, a, 'r');
    if (is(f, "itertools.chain"))
        return call_chain(x, a);
    if (is(f, "itertools.chain.from_iterable") && first) {
        struct value inner = {0};
        if (expr_items(x, first, &inner.items, &inner.n_items))
            return call_chain(x, &inner);
    }
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (is(f, plain[i]))
            return (struct value){.kind = VALUE_PLAIN};
    struct value out = {0};
    if (x->env->call)
        x->env->call(x->env->ctx, f, a, &out);
    return out;
}

static bool is_exception(struct str name)
{
    return name.p[0] >= 'A' && name.p[0] <= 'Z' && (str_ends(name, STR("Error")) || str_ends(name, STR("Exception")) ||
                                                    str_ends(name, STR("Warning")));
}

struct value expr_call(const struct expr *x, const struct value *f, const struct value *a)
{
    struct value out = {0};
    if (f->kind == VALUE_MARK) {
        if (a->kind == VALUE_UNKNOWN) /* arguments that are not known: the mark's name still is */
            return (struct value){.kind = VALUE_MARK, .text = f->text, .called = true};
        return call_mark(x, f, a);
    }
    if (f->kind == VALUE_NAMED && !f->ref && is_exception(f->text))
        return (struct value){.kind = VALUE_PLAIN};
    if (a->kind == VALUE_UNKNOWN)
        return out;
    if (f->kind == VALUE_NAMED && f->ref) {
        if (x->env->call)
            x->env->call(x->env->ctx, f, a, &out);
        return out;
    }
    if (f->kind == VALUE_NAMED && is(f, "getattr") && a->n_items >= 2 && a->items[0].kind == VALUE_EXTERNAL) {
        if (x->env->call)
            x->env->call(x->env->ctx, f, a, &out);
        return out;
    }
    if (f->kind == VALUE_NAMED)
        return call_builtin(x, f, a);
    return f->kind == VALUE_EXTERNAL ? call_external(x, f, a) : out;
}

static struct value change_case(const struct expr *x, const struct value *v, bool upper)
{
    struct buf b = {0};
    for (size_t i = 0; i < v->text.n; i++) {
        char c = v->text.p[i];
        if ((unsigned char)c >= 0x80) {
            buf_release(&b);
            return unknown();
        }
        bool letter = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
        buf_char(&b, letter ? (char)(c ^ 32) : c);
    }
    return text_value(x, &b);
}

static struct value join(const struct expr *x, const struct value *sep, const struct value *list)
{
    struct value *items;
    uint32_t n;
    struct buf b = {0};
    if (!expr_items(x, list, &items, &n))
        return unknown();
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].kind != VALUE_STR) {
            buf_release(&b);
            return unknown();
        }
        if (i)
            buf_str(&b, sep->text);
        buf_str(&b, items[i].text);
    }
    return text_value(x, &b);
}

static struct value split(const struct expr *x, const struct value *v, const struct value *sep)
{
    struct value *items = array(x, v->text.n + 1);
    uint32_t n = 0;
    size_t i = 0;
    if (sep && (sep->kind != VALUE_STR || !sep->text.n))
        return unknown();
    for (;;) {
        while (!sep && i < v->text.n && strchr(" \t\n\r\f\v", v->text.p[i]))
            i++;
        if (!sep && i >= v->text.n)
            break;
        size_t start = i;
        while (i < v->text.n && !(sep ? str_starts(str_slice(v->text, i, v->text.n), sep->text)
                                      : strchr(" \t\n\r\f\v", v->text.p[i]) != NULL))
            i++;
        items[n++] = (struct value){.kind = VALUE_STR, .text = str_slice(v->text, start, i)};
        if (i >= v->text.n)
            break;
        i += sep ? sep->text.n : 1;
    }
    return expr_sequence(VALUE_LIST, items, n);
}

static struct value dict_view(const struct expr *x, const struct value *d, struct str name)
{
    uint32_t n = d->n_items / 2;
    struct value *out = array(x, n);
    for (uint32_t i = 0; i < n; i++)
        out[i] = str_eq(name, STR("keys"))     ? d->items[2 * i]
                 : str_eq(name, STR("values")) ? d->items[2 * i + 1]
                                               : expr_sequence(VALUE_TUPLE, &d->items[2 * i], 2);
    return lazy(VALUE_LIST, out, n);
}

struct value expr_method(const struct expr *x, const struct value *o, struct str name, const struct value *a)
{
    const struct value *first = a->n_items ? &a->items[0] : NULL;
    if (a->kind == VALUE_UNKNOWN || a->n_keywords || a->n_items > 1)
        return unknown();
    if (o->kind == VALUE_DICT && !first &&
        (str_eq(name, STR("keys")) || str_eq(name, STR("values")) || str_eq(name, STR("items"))))
        return dict_view(x, o, name);
    if (o->kind != VALUE_STR)
        return unknown();
    if (!first && (str_eq(name, STR("upper")) || str_eq(name, STR("lower"))))
        return change_case(x, o, name.p[0] == 'u');
    if (!first && str_eq(name, STR("strip")))
        return (struct value){.kind = VALUE_STR, .text = str_trim(o->text)};
    if (str_eq(name, STR("split")))
        return split(x, o, first);
    if (first && str_eq(name, STR("join")))
        return join(x, o, first);
    if (first && first->kind == VALUE_STR && str_eq(name, STR("startswith")))
        return (struct value){.kind = VALUE_BOOL, .i = str_starts(o->text, first->text)};
    if (first && first->kind == VALUE_STR && str_eq(name, STR("endswith")))
        return (struct value){.kind = VALUE_BOOL, .i = str_ends(o->text, first->text)};
    if (str_eq(name, STR("encode")))
        return (struct value){.kind = first && !str_starts(first->text, STR("utf")) && !str_starts(first->text, STR("ascii")) ? VALUE_UNKNOWN : VALUE_BYTES, .text = o->text};
    return unknown();
}
