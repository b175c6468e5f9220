#include "generator/eval/expr_parse.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LISTS = 16 };

/* ---- builtins ---- */

struct value expr_iter_range(struct expr *x, const struct value *a)
{
    int64_t at[3] = {0, 0, 1};
    for (uint32_t i = 0; i < a->n_items; i++) {
        if (!expr_is_int(&a->items[i]) || llabs(a->items[i].i / 2) > INT64_MAX / 4)
            return expr_unknown();
        at[a->n_items == 1 ? 1 : i] = a->items[i].i;
    }
    int64_t from = at[0], to = at[1], by = at[2];
    if (by == 0)
        return expr_unknown();
    int64_t n = by > 0 ? (to > from ? (to - from - 1) / by + 1 : 0) : (to < from ? (from - to - 1) / -by + 1 : 0);
    struct value *items = n <= EXPR_MAX_ITEMS ? expr_array(x, (size_t)n) : NULL;
    for (int64_t i = 0; items && i < n; i++)
        items[i] = expr_int(from + i * by);
    return items ? expr_sequence(VALUE_TUPLE, items, (size_t)n, EXPR_VIEW) : expr_unknown();
}

static struct value pair(struct expr *x, struct value a, struct value b)
{
    struct value *items = expr_array(x, 2);
    if (!items)
        return expr_unknown();
    items[0] = a;
    items[1] = b;
    return expr_sequence(VALUE_TUPLE, items, 2, EXPR_PLAIN_SEQUENCE);
}

struct value expr_iter_enumerate(struct expr *x, const struct value *a)
{
    const struct value *start = a->n_items > 1 ? &a->items[1] : value_keyword(a, STR("start"));
    struct value *items, *out;
    uint32_t n;
    bool odd = start && (!expr_is_int(start) || llabs(start->i / 2) > INT64_MAX / 4);
    if (odd || a->n_keywords > (start && a->n_items < 2) || !expr_iterate(x, &a->items[0], &items, &n))
        return expr_unknown();
    out = expr_array(x, n);
    for (uint32_t i = 0; out && i < n; i++)
        out[i] = pair(x, expr_int((start ? start->i : 0) + i), items[i]);
    return out ? expr_sequence(VALUE_LIST, out, n, EXPR_ITERATOR) : expr_unknown();
}

/* ---- tuples of items of several lists ---- */

struct lists {
    struct value *items[MAX_LISTS];
    uint32_t counts[MAX_LISTS], n;
};

static bool iterate_all(struct expr *x, const struct value *a, struct lists *l)
{
    l->n = a->n_items;
    for (uint32_t i = 0; i < a->n_items; i++)
        if (i >= MAX_LISTS || !expr_iterate(x, &a->items[i], &l->items[i], &l->counts[i]))
            return false;
    return a->n_items <= MAX_LISTS;
}

/* One item of each list, by these indexes; fill for those past the end. */
static struct value pick(struct expr *x, const struct lists *l, const uint32_t *at, const struct value *fill)
{
    struct value *tuple = expr_array(x, l->n);
    for (uint32_t i = 0; tuple && i < l->n; i++)
        tuple[i] = at[i] < l->counts[i] ? l->items[i][at[i]] : *fill;
    return tuple ? expr_sequence(VALUE_TUPLE, tuple, l->n, EXPR_PLAIN_SEQUENCE) : expr_unknown();
}

static struct value zip(struct expr *x, const struct value *a, bool longest, const struct value *fill)
{
    struct lists l;
    struct expr_items out = {0};
    uint32_t n = longest ? 0 : UINT32_MAX, at[MAX_LISTS];
    if (!iterate_all(x, a, &l))
        return expr_unknown();
    for (uint32_t i = 0; i < l.n; i++)
        n = longest ? (l.counts[i] > n ? l.counts[i] : n) : l.counts[i] < n ? l.counts[i] : n;
    for (uint32_t i = 0; l.n && i < n && !x->bad; i++) {
        for (uint32_t k = 0; k < l.n; k++)
            at[k] = i;
        expr_items_add(x, &out, pick(x, &l, at, fill));
    }
    return expr_iterator(expr_items_end(x, &out, VALUE_LIST));
}

struct value expr_iter_zip(struct expr *x, const struct value *a)
{
    struct value none = {.kind = VALUE_NONE};
    bool strict = value_keyword(a, STR("strict")) != NULL;
    struct lists l;
    if (a->n_keywords > strict || (strict && !iterate_all(x, a, &l)))
        return expr_unknown();
    for (uint32_t i = 1; strict && i < a->n_items; i++)
        if (l.counts[i] != l.counts[0])
            return expr_unknown();
    return zip(x, a, false, &none);
}

struct value expr_iter_reversed(struct expr *x, const struct value *a)
{
    struct value *items;
    uint32_t n;
    const struct value *v = &a->items[0];
    if (v->kind == VALUE_SET || v->i == EXPR_ITERATOR || !expr_iterate(x, v, &items, &n))
        return expr_unknown();
    struct value *out = expr_array(x, n);
    for (uint32_t i = 0; out && i < n; i++)
        out[i] = items[n - 1 - i];
    return out ? expr_sequence(VALUE_LIST, out, n, EXPR_ITERATOR) : expr_unknown();
}

/* A stable merge; *known is cleared when two items cannot be compared. */
static void merge_sort(struct value *items, struct value *spare, uint32_t n, bool reverse, bool *known)
{
    uint32_t half = n / 2, i = 0, k = half, at = 0;
    if (n < 2 || !*known)
        return;
    merge_sort(items, spare, half, reverse, known);
    merge_sort(items + half, spare, n - half, reverse, known);
    while (i < half && k < n && *known) {
        int less = reverse ? value_less(&items[i], &items[k]) : value_less(&items[k], &items[i]);
        *known = less >= 0;
        spare[at++] = less == 1 ? items[k++] : items[i++];
    }
    while (i < half)
        spare[at++] = items[i++];
    memcpy(items, spare, at * sizeof *items);
}

/* Does the order that value_less gives decide alone? Not with nan. */
static bool is_ordered(const struct value *items, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (items[i].kind == VALUE_FLOAT && value_equal(&items[i], &items[i]) != 1)
            return false;
    return true;
}

struct value expr_iter_sorted(struct expr *x, const struct value *a)
{
    const struct value *v = &a->items[0], *reverse = value_keyword(a, STR("reverse"));
    struct value *items = v->items;
    uint32_t n = v->n_items;
    if (a->n_keywords > (reverse != NULL) || (reverse && value_truth(reverse) < 0))
        return expr_unknown();
    if (v->kind != VALUE_SET && !expr_iterate(x, v, &items, &n))
        return expr_unknown();
    struct value *out = expr_array(x, n), *spare = expr_array(x, n);
    bool known = out && spare && is_ordered(items, n);
    if (!known)
        return expr_unknown();
    if (n)
        memcpy(out, items, n * sizeof *out);
    merge_sort(out, spare, n, reverse && value_truth(reverse), &known);
    return known ? expr_sequence(VALUE_LIST, out, n, EXPR_PLAIN_SEQUENCE) : expr_unknown();
}

/* ---- itertools ---- */

static struct value product(struct expr *x, const struct value *a)
{
    struct lists l;
    struct expr_items out = {0};
    uint32_t at[MAX_LISTS] = {0}, once = a->n_items;
    const struct value *repeat = value_keyword(a, STR("repeat"));
    bool odd = repeat && (!expr_is_int(repeat) || repeat->i < 0 || repeat->i > MAX_LISTS);
    if (odd || a->n_keywords > (repeat != NULL) || !iterate_all(x, a, &l))
        return expr_unknown();
    l.n = repeat ? (uint32_t)repeat->i * once : once;
    if (l.n > MAX_LISTS)
        return expr_unknown();
    bool more = true;
    for (uint32_t i = 0; i < l.n; i++) {
        l.items[i] = l.items[i % once];
        l.counts[i] = l.counts[i % once];
        more = more && l.counts[i];
    }
    while (more && !x->bad) {
        expr_items_add(x, &out, pick(x, &l, at, NULL));
        uint32_t k = l.n;
        while (k > 0 && ++at[k - 1] == l.counts[k - 1])
            at[--k] = 0;
        more = k > 0;
    }
    return expr_iterator(expr_items_end(x, &out, VALUE_LIST));
}

enum choice { PERMUTATIONS, COMBINATIONS, WITH_REPLACEMENT };

static bool is_chosen(enum choice how, const uint32_t *at, int64_t r)
{
    for (int64_t i = 0; i < r; i++)
        for (int64_t k = 0; k < i; k++)
            if (how == PERMUTATIONS ? at[i] == at[k] : how == COMBINATIONS ? at[i] <= at[k] : at[i] < at[k])
                return false;
    return true;
}

/* Index tuples in lexicographic order. */
static struct value choose(struct expr *x, const struct value *a, enum choice how)
{
    struct lists l;
    struct expr_items out = {0};
    struct value *items;
    uint32_t n, at[MAX_LISTS] = {0};
    if (a->n_items == 0 || a->n_items > 2 || a->n_keywords || !expr_iterate(x, &a->items[0], &items, &n))
        return expr_unknown();
    const struct value *given = a->n_items > 1 ? &a->items[1] : NULL;
    bool all = how == PERMUTATIONS && (!given || given->kind == VALUE_NONE);
    if (!all && (!given || !expr_is_int(given)))
        return expr_unknown();
    int64_t r = all ? (int64_t)n : given->i;
    if (r < 0 || r > 12)
        return expr_unknown();
    for (l.n = 0; l.n < (uint32_t)r; l.n++) {
        l.items[l.n] = items;
        l.counts[l.n] = n;
    }
    bool more = (r == 0 || n > 0) && (how == WITH_REPLACEMENT || r <= (int64_t)n);
    while (more && !x->bad) {
        if (is_chosen(how, at, r))
            expr_items_add(x, &out, pick(x, &l, at, NULL));
        uint32_t k = l.n;
        while (k > 0 && ++at[k - 1] == n)
            at[--k] = 0;
        more = k > 0;
        x->bad = x->bad || ++x->steps > EXPR_MAX_STEPS;
    }
    return expr_iterator(expr_items_end(x, &out, VALUE_LIST));
}

static struct value chain(struct expr *x, uint32_t n, const struct value *lists)
{
    struct expr_items out = {0};
    for (uint32_t i = 0; i < n; i++)
        expr_items_spread(x, &out, &lists[i]);
    return expr_iterator(expr_items_end(x, &out, VALUE_LIST));
}

static struct value call_chain(struct expr *x, const struct value *a)
{
    return a->n_keywords ? expr_unknown() : chain(x, a->n_items, a->items);
}

static struct value call_flatten(struct expr *x, const struct value *a)
{
    struct value *lists;
    uint32_t n;
    if (a->n_items != 1 || a->n_keywords || !expr_iterate(x, &a->items[0], &lists, &n))
        return expr_unknown();
    return chain(x, n, lists);
}

static struct value call_repeat(struct expr *x, const struct value *a)
{
    const struct value *times = a->n_items > 1 ? &a->items[1] : value_keyword(a, STR("times"));
    struct expr_items out = {0};
    if (a->n_items < 1 || a->n_items > 2 || !times || !expr_is_int(times) || times->i > EXPR_MAX_ITEMS)
        return expr_unknown();
    for (int64_t i = 0; i < times->i; i++)
        expr_items_add(x, &out, a->items[0]);
    return expr_iterator(expr_items_end(x, &out, VALUE_LIST));
}

static struct value call_islice(struct expr *x, const struct value *a)
{
    struct value parts[3] = {{.kind = VALUE_NONE}, {.kind = VALUE_NONE}, {.kind = VALUE_NONE}}, list;
    struct value *items;
    uint32_t n;
    if (a->n_items < 2 || a->n_items > 4 || a->n_keywords || !expr_iterate(x, &a->items[0], &items, &n))
        return expr_unknown();
    for (uint32_t i = 1; i < a->n_items; i++) {
        if (a->items[i].kind != VALUE_NONE && (!expr_is_int(&a->items[i]) || a->items[i].i < 0))
            return expr_unknown();
        parts[a->n_items == 2 ? 1 : i - 1] = a->items[i];
    }
    list = expr_sequence(VALUE_LIST, items, n, EXPR_PLAIN_SEQUENCE);
    return expr_iterator(expr_slice(x, &list, parts));
}

static struct value call_permutations(struct expr *x, const struct value *a)
{
    return choose(x, a, PERMUTATIONS);
}

static struct value call_combinations(struct expr *x, const struct value *a)
{
    return choose(x, a, COMBINATIONS);
}

static struct value call_with_replacement(struct expr *x, const struct value *a)
{
    return choose(x, a, WITH_REPLACEMENT);
}

static struct value call_zip_longest(struct expr *x, const struct value *a)
{
    struct value none = {.kind = VALUE_NONE};
    const struct value *fill = value_keyword(a, STR("fillvalue"));
    return a->n_keywords > (fill != NULL) ? expr_unknown() : zip(x, a, true, fill ? fill : &none);
}

bool expr_itertool(struct expr *x, struct str name, const struct value *a, struct value *out)
{
    static const struct {
        const char *name;
        struct value (*call)(struct expr *x, const struct value *args);
    } table[] = {{"chain", call_chain},
                 {"chain.from_iterable", call_flatten},
                 {"combinations", call_combinations},
                 {"combinations_with_replacement", call_with_replacement},
                 {"islice", call_islice},
                 {"permutations", call_permutations},
                 {"product", product},
                 {"repeat", call_repeat},
                 {"zip_longest", call_zip_longest}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (expr_is(name, table[i].name)) {
            *out = table[i].call(x, a);
            return true;
        }
    return false;
}
