#include "generator/collect/arguments.h"

#include "runtime/base/arena.h"

#include <stdlib.h>

/* An argument as it is compared: path, then what follows "::", a part at a time. */
struct ranked {
    struct str path, node;
    size_t index;
};

static struct str node_of(const struct config *c, size_t i)
{
    return i < c->node_args.n ? c->node_args.items[i] : STR("");
}

/* Names between separators, compared one after the other: what begins with all of another comes right behind it. */
static int compare_parts(struct str a, struct str b, char sep)
{
    while (a.n && b.n) {
        size_t i = str_chr(a, sep), k = str_chr(b, sep);
        int order = str_cmp(str_slice(a, 0, i), str_slice(b, 0, k));
        if (order)
            return order;
        a = str_slice(a, i + 1, a.n);
        b = str_slice(b, k + 1, b.n);
    }
    return a.n ? 1 : b.n ? -1 : 0;
}

static int by_place(const void *x, const void *y)
{
    const struct ranked *a = x, *b = y;
    size_t i = str_chr(a->node, '['), k = str_chr(b->node, '[');
    int order = compare_parts(a->path, b->path, '/');
    if (!order)
        order = compare_parts(str_slice(a->node, 0, i), str_slice(b->node, 0, k), ':');
    if (!order)
        order = str_cmp(str_slice(a->node, i, a->node.n), str_slice(b->node, k, b->node.n));
    return order ? order : a->index < b->index ? -1 : 1;
}

/* Does `node` name `rest`, or a class or function around it? */
static bool holds(struct str node, struct str rest)
{
    return str_starts(rest, node) && (!node.n || rest.n == node.n || rest.p[node.n] == ':' || rest.p[node.n] == '[');
}

static bool subsumes(const struct ranked *by, const struct ranked *a)
{
    return str_eq(by->path, a->path) ? holds(by->node, a->node) : !by->node.n && path_under(a->path, by->path);
}

static void drop_subsumed(struct arguments *a, size_t n)
{
    struct ranked *r = xmalloc(n * sizeof *r), *kept = r;
    for (size_t i = 0; i < n; i++)
        r[i] = (struct ranked){a->config->probe.args.items[i], node_of(a->config, i), i};
    qsort(r, n, sizeof *r, by_place);
    for (size_t i = 1; i < n; i++) {
        a->dropped[r[i].index] = subsumes(kept, &r[i]);
        if (!a->dropped[r[i].index])
            kept = &r[i];
    }
    free(r);
}

void arguments_init(struct arguments *a, const struct config *c)
{
    size_t n = c->probe.args.n;
    *a = (struct arguments){.config = c, .dropped = xmalloc((n + 1) * sizeof(bool)), .next = xmalloc((n + 1) * sizeof(size_t))};
    for (size_t i = 0; i < n; i++) {
        a->dropped[i] = false;
        a->nodes = a->nodes || node_of(c, i).n > 0;
    }
    if (c->pytest >= 900 && n > 1)
        drop_subsumed(a, n);
    for (size_t i = n; i > 0; i--) {
        uintptr_t *first = map_put(&a->paths, c->probe.args.items[i - 1], NULL);
        a->next[i - 1] = *first;
        if (!a->dropped[i - 1])
            *first = i;
    }
}

void arguments_release(struct arguments *a)
{
    free(a->dropped);
    free(a->next);
    map_release(&a->paths);
}

static size_t first_of(const struct arguments *a, struct str path)
{
    const uintptr_t *slot = map_get(&a->paths, path);
    return slot ? *slot : 0;
}

size_t arguments_of_file(const struct arguments *a, struct str path)
{
    size_t best = a->config->probe.args.n;
    for (struct str up = path;; up = path_dir(up)) {
        size_t i = first_of(a, up.n ? up : STR("/"));
        if (i && i - 1 < best)
            best = i - 1;
        if (up.n <= 1)
            return best;
    }
}

size_t arguments_of_test(const struct arguments *a, struct str path, struct str rest, bool doubtful)
{
    size_t best = a->config->probe.args.n;
    for (struct str up = path;; up = path_dir(up)) {
        for (size_t i = first_of(a, up.n ? up : STR("/")); i && i - 1 < best; i = a->next[i - 1]) {
            struct str node = node_of(a->config, i - 1);
            if (holds(node, rest) || (doubtful && (str_starts(node, rest) || !rest.n)))
                best = i - 1;
        }
        if (up.n <= 1)
            return best;
    }
}

bool arguments_overlap(const struct config *c)
{
    for (size_t i = 0; i < c->probe.args.n && c->pytest < 900; i++)
        for (size_t k = 0; k < i; k++) {
            struct str a = c->probe.args.items[i], b = c->probe.args.items[k];
            bool nodes = node_of(c, i).n && node_of(c, k).n && !str_eq(node_of(c, i), node_of(c, k));
            bool folder = str_eq(a, b) && !str_ends(a, STR(".py"));
            if ((path_under(a, b) || path_under(b, a)) && !nodes && !folder)
                return true;
        }
    return false;
}
