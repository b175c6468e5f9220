#include "generator/collect/order.h"

#include "runtime/base/buf.h"
#include "runtime/base/map.h"

#include <stdlib.h>
#include <string.h>

enum { LEVELS = 4 }; /* session, package, module, class */
#define NONE UINT32_MAX
static const enum fixture_scope level_scope[LEVELS] = {SCOPE_SESSION, SCOPE_PACKAGE, SCOPE_MODULE, SCOPE_CLASS};

/* A test's share in a key's list. */
struct node { uint32_t test, key, prev, next; uint8_t level; };
struct key { uint32_t head; };

struct orderer {
    const struct test *tests;
    uint32_t n;
    struct node *nodes;
    uint32_t n_nodes;
    size_t cap_nodes;
    uint32_t *first_node;       /* of a test; its nodes follow one another */
    struct key *keys;
    uint32_t n_keys;
    size_t cap_keys;
    struct map names;           /* text of a key → its number + 1 */
    struct arena arena;
    uint32_t *member[LEVELS], *done[LEVELS], *aside[LEVELS]; /* test → number of the call or round */
    uint32_t stamp;
};

/* "scope name index", and where it counts: the package, the module or the class. */
static struct str key_text(struct orderer *x, const struct test *t, const struct test_key *k)
{
    struct buf b = {0};
    size_t path = 0;
    while (path + 1 < t->id.n && !(t->id.p[path] == ':' && t->id.p[path + 1] == ':'))
        path++;
    buf_printf(&b, "%d %u %.*s", (int)k->scope, k->index, (int)k->name.n, k->name.p);
    struct str module = str_slice(t->id, 0, path);
    if (k->scope == SCOPE_PACKAGE)
        module = path_dir(module);
    if (k->scope != SCOPE_SESSION) {
        buf_char(&b, ' ');
        buf_str(&b, module);
    }
    if (k->scope == SCOPE_CLASS) {
        buf_char(&b, ' ');
        buf_str(&b, t->class);
    }
    struct str s = {arena_dup(&x->arena, b.p, b.n), b.n};
    buf_release(&b);
    return s;
}

static uint32_t key_number(struct orderer *x, struct str text)
{
    uintptr_t *slot = map_put(&x->names, text, NULL);
    if (!*slot) {
        x->keys = xgrow(x->keys, &x->cap_keys, x->n_keys + 1, sizeof *x->keys);
        x->keys[x->n_keys++] = (struct key){NONE};
        *slot = x->n_keys;
    }
    return (uint32_t)*slot - 1;
}

static void push_front(struct orderer *x, uint32_t n)
{
    struct key *k = &x->keys[x->nodes[n].key];
    x->nodes[n].prev = NONE;
    x->nodes[n].next = k->head;
    if (k->head != NONE)
        x->nodes[k->head].prev = n;
    k->head = n;
}

static void take_out(struct orderer *x, uint32_t n)
{
    struct node *d = &x->nodes[n];
    if (d->prev != NONE)
        x->nodes[d->prev].next = d->next;
    else
        x->keys[d->key].head = d->next;
    if (d->next != NONE)
        x->nodes[d->next].prev = d->prev;
}

/* Later tests are added first, so that each list is in order. */
static void make_lists(struct orderer *x)
{
    for (uint32_t i = 0; i < x->n; i++) {
        const struct test *t = &x->tests[i];
        x->first_node[i] = x->n_nodes;
        for (int level = 0; level < LEVELS; level++)
            for (uint32_t k = 0; k < t->n_keys; k++) {
                if (t->keys[k].scope != level_scope[level])
                    continue;
                x->nodes = xgrow(x->nodes, &x->cap_nodes, x->n_nodes + 1, sizeof *x->nodes);
                x->nodes[x->n_nodes++] = (struct node){.test = i, .key = key_number(x, key_text(x, t, &t->keys[k])),
                                                       .level = (uint8_t)level};
            }
    }
    x->first_node[x->n] = x->n_nodes;
    for (uint32_t n = x->n_nodes; n > 0; n--)
        push_front(x, n - 1);
}

struct list { uint32_t *items; size_t n, cap; };

static void add(struct list *l, uint32_t v)
{
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    l->items[l->n++] = v;
}

/* The last key of this level that is not ignored; NONE when there is none. */
static uint32_t slicing_key(const struct orderer *x, uint32_t test, int level, const struct list *ignored)
{
    uint32_t found = NONE;
    for (uint32_t n = x->first_node[test]; n < x->first_node[test + 1]; n++) {
        bool skip = x->nodes[n].level != level;
        for (size_t i = 0; i < ignored->n && !skip; i++)
            skip = ignored->items[i] == x->nodes[n].key;
        if (!skip)
            found = x->nodes[n].key;
    }
    return found;
}

/* The tests that share the key come next; each goes to the front of all its lists. */
static void bring_forward(struct orderer *x, uint32_t key, int level, uint32_t call, struct list *pending)
{
    struct list matching = {0};
    for (uint32_t n = x->keys[key].head; n != NONE; n = x->nodes[n].next)
        if (x->member[level][x->nodes[n].test] == call)
            add(&matching, x->nodes[n].test);
    for (size_t i = matching.n; i > 0; i--) {
        uint32_t test = matching.items[i - 1];
        add(pending, test);
        for (uint32_t n = x->first_node[test]; n < x->first_node[test + 1]; n++) {
            take_out(x, n);
            push_front(x, n);
        }
    }
    free(matching.items);
}

static void reorder(struct orderer *x, struct list *items, int level)
{
    if (level == LEVELS || items->n < 3)
        return;
    struct list pending = {0}, ignored = {0}, done = {0}, aside = {0};
    uint32_t call = ++x->stamp;
    for (size_t i = items->n; i > 0; i--) { /* the next one is the last */
        add(&pending, items->items[i - 1]);
        x->member[level][items->items[i - 1]] = call;
    }
    while (pending.n) {
        uint32_t round = ++x->stamp, key = NONE;
        aside.n = 0;
        while (pending.n && key == NONE) {
            uint32_t test = pending.items[--pending.n];
            if (x->done[level][test] == call || x->aside[level][test] == round)
                continue;
            key = slicing_key(x, test, level, &ignored);
            if (key == NONE) {
                add(&aside, test);
                x->aside[level][test] = round;
            } else {
                bring_forward(x, key, level, call, &pending);
            }
        }
        reorder(x, &aside, level + 1);
        for (size_t i = 0; i < aside.n; i++) {
            if (x->done[level][aside.items[i]] == call)
                continue;
            x->done[level][aside.items[i]] = call;
            add(&done, aside.items[i]);
        }
        if (key != NONE)
            add(&ignored, key);
    }
    if (done.n == items->n)
        memcpy(items->items, done.items, done.n * sizeof *done.items);
    free(pending.items);
    free(ignored.items);
    free(done.items);
    free(aside.items);
}

void order_tests(struct test *tests, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n && !any; i++)
        any = tests[i].n_keys > 0;
    if (!any || n > UINT32_MAX / 2)
        return;
    struct orderer x = {.tests = tests, .n = (uint32_t)n};
    struct list all = {0};
    x.first_node = arena_array(&x.arena, n + 1, sizeof *x.first_node);
    for (int i = 0; i < LEVELS; i++) {
        x.member[i] = arena_array(&x.arena, n, sizeof **x.member);
        x.done[i] = arena_array(&x.arena, n, sizeof **x.done);
        x.aside[i] = arena_array(&x.arena, n, sizeof **x.aside);
    }
    make_lists(&x);
    for (uint32_t i = 0; i < x.n; i++)
        add(&all, i);
    reorder(&x, &all, 0);
    struct test *copy = xmalloc(n * sizeof *copy);
    memcpy(copy, tests, n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        tests[i] = copy[all.items[i]];
    free(copy);
    free(all.items);
    free(x.nodes);
    free(x.keys);
    map_release(&x.names);
    arena_release(&x.arena);
}
