#include "generator/graph/key.h"

#include "generator/files/pyname.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT = 3 }; /* of what a record means: raise it to run everything again */

/* A text with paths: the root's own name is left out, so that another checkout of the tree has the same key. */
static void add_placed(struct hasher *h, struct str text, struct str root)
{
    struct buf b = {0};
    while (text.n) {
        bool here = root.n > 1 && str_starts(text, root) && (text.n == root.n || strchr("/:'\" ,)]}", text.p[root.n]));
        if (here)
            buf_z(&b, ".");
        else
            buf_char(&b, text.p[0]);
        text = str_slice(text, here ? root.n : 1, text.n);
    }
    hasher_str(h, buf_view(&b));
    buf_release(&b);
}

static void add_list(struct hasher *h, const struct strs *l)
{
    hasher_u64(h, l->n);
    for (size_t i = 0; i < l->n; i++)
        hasher_str(h, l->items[i]);
}

static void add_variables(struct hasher *h, const struct probe *p, struct arena *a)
{
    for (size_t i = 0; i < p->env.n; i++) {
        struct str name = p->env.items[i];
        const char *value = getenv(arena_dup(a, name.p, name.n));
        hasher_str(h, name);
        hasher_u64(h, value != NULL);
        hasher_str(h, str_z(value));
    }
}

static void add_data(struct hasher *h, const struct probe *p, struct sources *s)
{
    for (size_t i = 0; i < p->data.n; i++) {
        struct index_file *f = source_check(s, p->data.items[i], false);
        hasher_str(h, pyname_below(p->data.items[i], p->root));
        hasher_hash(h, f->content);
    }
}

struct hash128 key_environment(const struct probe *p, struct sources *s,
                               bool keep_lines, bool keep_docs)
{
    struct hasher *h = hasher_new();
    struct arena a = {0};
    hasher_u64(h, FORMAT);
    hasher_u64(h, (keep_lines ? 1u : 0u) | (keep_docs ? 0u : 2u));
    add_placed(h, p->python, p->root);
    hasher_str(h, p->version);
    hasher_str(h, p->abi);
    hasher_str(h, p->pytest);
    add_placed(h, p->options, p->root);
    add_placed(h, p->ini_text, p->root);
    hasher_str(h, p->import_mode);
    add_list(h, &p->dists);
    add_placed(h, str_z(getenv("PYTHONPATH")), p->root);
    add_variables(h, p, &a);
    add_data(h, p, s);
    arena_release(&a);
    return hasher_done(h);
}

static struct hash128 *hash_nodes(const struct graph *g, struct str root, bool names, struct arena *a)
{
    struct hash128 *out = arena_array(a, g->n, sizeof *out);
    struct buf b = {0};
    for (size_t i = 0; i < g->n; i++) {
        struct str path = g->nodes[i].path;
        struct hash128 semantic = g->nodes[i].file->semantic;
        if (names && g->nodes[i].file->blocks.n)
            semantic = (struct hash128){0};
        buf_clear(&b);
        buf_add(&b, &semantic.hi, sizeof semantic.hi);
        buf_add(&b, &semantic.lo, sizeof semantic.lo);
        buf_str(&b, pyname_below(path, root));
        out[i] = hash128_of(b.p, b.n);
    }
    buf_release(&b);
    return out;
}

struct hash128 *key_nodes(const struct graph *g, struct str root, struct arena *a)
{
    return hash_nodes(g, root, false, a);
}

struct hash128 *key_names(const struct graph *g, struct str root, struct arena *a)
{
    return hash_nodes(g, root, true, a);
}

/* Nodes are numbered as they are found: their hashes are summed up in an order-free way, so that
 * the key does not depend on it. 128-bit sums of well-mixed hashes of distinct members. */
struct hash128 key_module(struct hash128 environment, struct str selection, struct str rel,
                          const struct hash128 *nodes, const uint32_t *files, uint32_t n)
{
    struct hash128 sum = {0, 0};
    for (uint32_t i = 0; i < n; i++) {
        sum.hi += nodes[files[i]].hi;
        sum.lo += nodes[files[i]].lo;
    }
    struct hasher *h = hasher_new();
    hasher_hash(h, environment);
    hasher_str(h, selection);
    hasher_str(h, rel);
    hasher_u64(h, n);
    hasher_hash(h, sum);
    return hasher_done(h);
}
