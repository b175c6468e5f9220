#include "generator/expr_parse.h"

#include "generator/split.h"

#include <stdlib.h>
#include <string.h>

void expr_add(struct expr *x, struct expr_list *l, struct value v)
{
    if (l->n >= EXPR_MAX_ITEMS) {
        x->bad = true;
        return;
    }
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    l->items[l->n++] = v;
}

/* The last value of a key counts, at the place of the first. */
static void merge_keys(struct expr_list *l)
{
    size_t n = 0;
    for (size_t i = 0; i + 1 < l->n; i += 2) {
        size_t at = n;
        for (size_t k = 0; k < n && at == n && l->n < 4000; k += 2)
            if (value_equal(&l->items[k], &l->items[i]) == 1)
                at = k;
        if (at == n) {
            l->items[n] = l->items[i];
            n += 2;
        }
        l->items[at + 1] = l->items[i + 1];
    }
    l->n = n;
}

struct value expr_finish(struct expr *x, enum value_kind kind, struct expr_list *l)
{
    struct value v = {0};
    if (kind == VALUE_DICT)
        merge_keys(l);
    if (!l->unknown && !x->bad) {
        struct value *kept = arena_array(x->env->arena, l->n, sizeof *kept);
        if (l->n)
            memcpy(kept, l->items, l->n * sizeof *kept);
        v = expr_sequence(kind, kept, (uint32_t)l->n);
    }
    free(l->items);
    return v;
}

void expr_spread(struct expr *x, struct expr_list *l, const struct value *v)
{
    struct value *items;
    uint32_t n;
    if (!expr_items(x, v, &items, &n)) {
        l->unknown = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        expr_add(x, l, items[i]);
}

/* The rest of a comprehension is text: for targets in iterable (if condition)* … */
struct comprehension {
    struct expr *x;
    struct str element, key; /* key: of a dict's */
    struct expr_list *out;
};

/* Up to the keyword at depth 0, or the end. */
static struct str until(struct str s, const char *const *words, size_t n_words, size_t *at)
{
    *at = split_find_word(s, words, n_words);
    *at = *at < s.n ? *at : s.n;
    return str_slice(s, 0, *at);
}

static void run_clauses(struct comprehension *c, struct str rest, const struct expr_local *locals, int deep);

static void run_target(struct comprehension *c, struct str target, const struct value *v, struct str rest,
                       const struct expr_local *locals, int deep)
{
    struct expr_local own[8];
    uint32_t n = 0;
    struct str part;
    target = str_trim(target);
    if (target.n > 1 && *target.p == '(' && target.p[target.n - 1] == ')')
        target = str_slice(target, 1, target.n - 1);
    if (split_find(target, ',') >= target.n) {
        own[0] = (struct expr_local){target, *v, locals};
        n = 1;
    } else {
        struct value *items;
        uint32_t count;
        bool known = expr_items(c->x, v, &items, &count);
        while (split_next(&target, &part)) {
            if (n == 8 || *part.p == '*' || *part.p == '(') {
                c->out->unknown = true;
                return;
            }
            own[n] = (struct expr_local){part, known && n < count ? items[n] : expr_unknown(), n ? &own[n - 1] : locals};
            n++;
        }
    }
    if (n)
        run_clauses(c, rest, &own[n - 1], deep + 1);
}

static void run_for(struct comprehension *c, struct str rest, const struct expr_local *locals, int deep)
{
    static const char *const in[] = {"in"}, *const next[] = {"for", "if", "async"};
    size_t at;
    struct str target = until(rest, in, 1, &at);
    rest = str_slice(rest, at + 2, rest.n);
    struct str iterable = until(rest, next, 3, &at);
    /* "a if b else c" is not a clause: rare in an iterable, and unknown */
    struct value v = expr_sub(c->x, str_trim(iterable), locals);
    struct value *items;
    uint32_t n;
    if (!expr_items(c->x, &v, &items, &n)) {
        c->out->unknown = true;
        return;
    }
    for (uint32_t i = 0; i < n && !c->out->unknown && !c->x->bad; i++)
        run_target(c, target, &items[i], str_slice(rest, at, rest.n), locals, deep);
}

static void run_clauses(struct comprehension *c, struct str rest, const struct expr_local *locals, int deep)
{
    static const char *const next[] = {"for", "if", "async"};
    rest = str_trim(rest);
    if (deep > 8 || ++*c->x->steps > EXPR_MAX_STEPS) {
        c->out->unknown = true;
    } else if (str_starts(rest, STR("for "))) {
        run_for(c, str_slice(rest, 4, rest.n), locals, deep);
    } else if (str_starts(rest, STR("if ")) || str_starts(rest, STR("if("))) {
        size_t at;
        rest = str_slice(rest, 2, rest.n);
        struct value v = expr_sub(c->x, str_trim(until(rest, next, 3, &at)), locals);
        int holds = value_truth(&v);
        if (holds < 0)
            c->out->unknown = true;
        else if (holds)
            run_clauses(c, str_slice(rest, at, rest.n), locals, deep + 1);
    } else if (rest.n) {
        c->out->unknown = true;
    } else {
        if (c->key.n)
            expr_add(c->x, c->out, expr_sub(c->x, c->key, locals));
        expr_add(c->x, c->out, expr_sub(c->x, c->element, locals));
    }
}

struct value expr_comprehension(struct expr *x, enum value_kind kind, const char *element,
                                        const char *key, const char *key_end, char close)
{
    const char *stop = x->p, *end = NULL;
    struct expr_list l = {0};
    int depth = 0;
    for (const char *p = x->p; p < x->end && !end; p++) { /* strings hold no unbalanced bracket that matters here */
        if (*p == '"' || *p == '\'') {
            struct expr probe = *x;
            probe.p = p;
            struct value ignored;
            if (!expr_string(&probe, &ignored))
                return expr_fail(x);
            p = probe.p - 1;
        } else if (strchr("([{", *p) && *p) {
            depth++;
        } else if (strchr(")]}", *p) && *p) {
            if (depth-- == 0)
                end = p;
        }
    }
    if (!end || *end != close)
        return expr_fail(x);
    struct comprehension c = {.x = x, .element = {element, (size_t)(stop - element)}, .out = &l};
    if (key)
        c.key = (struct str){key, (size_t)(key_end - key)};
    run_clauses(&c, (struct str){stop, (size_t)(end - stop)}, x->locals, 0);
    x->p = end;
    return expr_finish(x, kind, &l);
}

bool expr_at_for(struct expr *x)
{
    struct str w = expr_peek(x);
    return str_eq(w, STR("for"));
}

struct value expr_display(struct expr *x, enum value_kind kind, char close)
{
    struct expr_list l = {0};
    bool comma = false;
    char stop[2] = {close, 0};
    while (!x->bad && !expr_take(x, stop)) {
        expr_skip(x);
        const char *start = x->p;
        bool star = x->p < x->end && *x->p == '*';
        x->p += star;
        struct value v = expr_parse(x);
        if (!x->bad && !star && l.n == 0 && expr_at_for(x)) {
            v = expr_comprehension(x, kind == VALUE_TUPLE ? VALUE_LIST : kind, start, NULL, NULL, close);
            free(l.items);
            if (kind == VALUE_TUPLE && v.kind == VALUE_LIST) { /* a generator: it has a __name__ */
                v.kind = VALUE_NAMED;
                v.text = STR("<genexpr>");
            }
            return expr_take(x, stop) ? v : expr_fail(x);
        }
        if (star)
            expr_spread(x, &l, &v);
        else
            expr_add(x, &l, v);
        comma = expr_take(x, ",");
        if (!comma && !x->bad) {
            if (!expr_take(x, stop))
                x->bad = true;
            comma = star;
            break;
        }
    }
    if (kind == VALUE_TUPLE && l.n == 1 && !comma && !l.unknown) {
        struct value only = l.items[0];
        free(l.items);
        return x->bad ? expr_unknown() : only;
    }
    return expr_finish(x, kind, &l);
}

/* The rest of a set whose first item is read already: no text is read twice. */
static struct value set_after(struct expr *x, const char *start, struct value first, struct expr_list *l)
{
    if (expr_at_for(x)) {
        struct value v = expr_comprehension(x, VALUE_SET, start, NULL, NULL, '}');
        return expr_take(x, "}") ? v : expr_fail(x);
    }
    expr_add(x, l, first);
    bool more = expr_take(x, ",");
    while (more && !x->bad && !expr_take(x, "}")) {
        expr_skip(x);
        bool star = x->p < x->end && *x->p == '*';
        x->p += star;
        struct value v = expr_parse(x);
        if (star)
            expr_spread(x, l, &v);
        else
            expr_add(x, l, v);
        more = expr_take(x, ",");
    }
    if (!more && !expr_take(x, "}"))
        x->bad = true;
    return expr_finish(x, VALUE_SET, l);
}

struct value expr_braces(struct expr *x)
{
    struct expr_list l = {0};
    if (expr_take(x, "}"))
        return expr_sequence(VALUE_DICT, NULL, 0);
    while (!x->bad) {
        expr_skip(x);
        const char *start = x->p;
        if (expr_take(x, "**")) {
            struct value v = expr_parse(x);
            if (v.kind != VALUE_DICT)
                l.unknown = true;
            for (uint32_t i = 0; v.kind == VALUE_DICT && i < v.n_items; i++)
                expr_add(x, &l, v.items[i]);
        } else {
            if (*x->p == '*') {
                free(l.items);
                return expr_display(x, VALUE_SET, '}');
            }
            struct value key = expr_parse(x);
            const char *key_end = x->p;
            expr_skip(x);
            if (x->bad || !expr_take(x, ":")) {
                if (!x->bad && l.n == 0)
                    return set_after(x, start, key, &l);
                free(l.items);
                return expr_fail(x);
            }
            expr_skip(x);
            const char *element = x->p;
            struct value v = expr_parse(x);
            if (!x->bad && expr_at_for(x)) {
                v = expr_comprehension(x, VALUE_DICT, element, start, key_end, '}');
                free(l.items);
                return expr_take(x, "}") ? v : expr_fail(x);
            }
            expr_add(x, &l, key);
            expr_add(x, &l, v);
        }
        if (!expr_take(x, ",")) {
            if (!expr_take(x, "}"))
                x->bad = true;
            break;
        }
        if (expr_take(x, "}"))
            break;
    }
    return expr_finish(x, VALUE_DICT, &l);
}
