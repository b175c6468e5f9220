#include "generator/emit/emit_ninja.h"

#include "generator/emit/emit_text.h"
#include "generator/files/pyname.h"

#include <stdlib.h>
#include <string.h>

struct emitter {
    const struct plan *plan;
    const struct graph *g;
    const uint32_t *nodes, *weights;
    struct buf out;
    unsigned char *wanted; /* by component: 0 no, 1 yes, 2 has nothing that can be listed */
};

static void put_state(struct emitter *e, const char *sub, struct str name, const char *suffix)
{
    emit_path(&e->out, e->plan->state_dir, e->plan->root);
    buf_printf(&e->out, "/%s/", sub);
    emit_path(&e->out, name, STR("")); /* names hold nothing to escape but @, + and % */
    buf_z(&e->out, suffix);
}

static void put_component(struct emitter *e, uint32_t c)
{
    struct buf name = {0};
    struct str first = e->g->nodes[e->g->components[c].members[0]].path;
    pyname_stem(&name, pyname_below(first, e->plan->root));
    put_state(e, "c", buf_view(&name), "");
    buf_release(&name);
}

/* Marks what the modules reach; an explicit stack, since import chains may be long. */
static void mark_wanted(struct emitter *e)
{
    uint32_t *stack = xmalloc(((size_t)e->g->n_components + 1) * sizeof *stack);
    size_t n = 0;
    for (uint32_t i = 0; i < e->plan->n_modules; i++) {
        uint32_t c = e->g->nodes[e->nodes[i]].component;
        const struct component *own = &e->g->components[c];
        if (own->n_members > 1 && !e->wanted[c]) {
            e->wanted[c] = 1;
            stack[n++] = c;
        }
        for (uint32_t k = 0; k < own->n_next; k++)
            if (!e->wanted[own->next[k]]) {
                e->wanted[own->next[k]] = 1;
                stack[n++] = own->next[k];
            }
        while (n) {
            const struct component *at = &e->g->components[stack[--n]];
            for (uint32_t k = 0; k < at->n_next; k++)
                if (!e->wanted[at->next[k]]) {
                    e->wanted[at->next[k]] = 1;
                    stack[n++] = at->next[k];
                }
        }
    }
    free(stack);
}

static size_t put_next(struct emitter *e, const struct component *c)
{
    size_t n = 0;
    for (uint32_t k = 0; k < c->n_next; k++) {
        if (e->wanted[c->next[k]] != 1)
            continue;
        buf_char(&e->out, ' ');
        put_component(e, c->next[k]);
        n++;
    }
    return n;
}

/* A phony edge without inputs would be dirty for ever: such a component is dropped. */
static void put_components(struct emitter *e)
{
    for (uint32_t i = 0; i < e->g->n_components; i++) {
        const struct component *c = &e->g->components[i];
        size_t start = e->out.n, n = 0;
        if (!e->wanted[i])
            continue;
        buf_z(&e->out, "build ");
        put_component(e, i);
        buf_z(&e->out, ": phony");
        for (uint32_t k = 0; k < c->n_members; k++) {
            struct str path = e->g->nodes[c->members[k]].path;
            if (!emit_can_list(path))
                continue;
            buf_char(&e->out, ' ');
            emit_path(&e->out, path, e->plan->root);
            n++;
        }
        n += put_next(e, c);
        buf_char(&e->out, '\n');
        if (n == 0) {
            e->wanted[i] = 2;
            e->out.n = start;
        }
    }
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The components that the modules of a batch need, each once. */
static void put_needs(struct emitter *e, const struct plan_batch *b)
{
    uint32_t *need = NULL;
    size_t n = 0, cap = 0;
    for (uint32_t i = b->first; i < b->first + b->count; i++) {
        uint32_t own = e->g->nodes[e->nodes[i]].component;
        const struct component *c = &e->g->components[own];
        need = xgrow(need, &cap, n + c->n_next + 1, sizeof *need);
        if (c->n_members > 1)
            need[n++] = own;
        for (uint32_t k = 0; k < c->n_next; k++)
            need[n++] = c->next[k];
    }
    if (n)
        qsort(need, n, sizeof *need, compare_u32);
    for (size_t i = 0, any = 0; i < n; i++) {
        if (e->wanted[need[i]] != 1 || (i && need[i] == need[i - 1]))
            continue;
        buf_z(&e->out, any++ ? " " : " | ");
        put_component(e, need[i]);
    }
    free(need);
}

static void put_batch(struct emitter *e, const struct plan_batch *b)
{
    buf_z(&e->out, "build ");
    put_state(e, "b", b->name, ".ok");
    buf_z(&e->out, ": fastest_batch");
    for (uint32_t i = b->first; i < b->first + b->count; i++) {
        struct str path = e->plan->modules[i].path;
        if (!emit_can_list(path))
            continue;
        buf_char(&e->out, ' ');
        emit_path(&e->out, path, e->plan->root);
    }
    put_needs(e, b);
    buf_z(&e->out, "\n  batch = ");
    emit_value(&e->out, b->name);
    buf_char(&e->out, '\n');
}

struct ranked {
    uint64_t weight;
    uint32_t batch;
};

static int compare_ranked(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->batch < y->batch ? -1 : x->batch > y->batch;
}

/* Heaviest first: ninja starts ready edges in the order of the file. */
static struct ranked *rank(struct emitter *e)
{
    struct ranked *r = xmalloc(((size_t)e->plan->n_batches + 1) * sizeof *r);
    for (uint32_t i = 0; i < e->plan->n_batches; i++) {
        const struct plan_batch *b = &e->plan->batches[i];
        r[i] = (struct ranked){0, i};
        for (uint32_t k = b->first; k < b->first + b->count; k++)
            r[i].weight += e->weights[k];
    }
    qsort(r, e->plan->n_batches, sizeof *r, compare_ranked);
    return r;
}

bool emit_graph(const struct plan *plan, const struct graph *g, const uint32_t *nodes,
                const uint32_t *weights, struct err *err)
{
    struct emitter e = {.plan = plan, .g = g, .nodes = nodes, .weights = weights};
    e.wanted = xmalloc((size_t)g->n_components + 1);
    memset(e.wanted, 0, (size_t)g->n_components + 1);
    mark_wanted(&e);
    put_components(&e);
    struct ranked *order = rank(&e);
    for (uint32_t i = 0; i < plan->n_batches; i++)
        put_batch(&e, &plan->batches[order[i].batch]);
    buf_z(&e.out, "build ");
    emit_path(&e.out, plan->state_dir, plan->root);
    buf_z(&e.out, "/SUMMARY: fastest_summary");
    for (uint32_t i = plan->n_batches; i-- > 0;) { /* reversed: samurai takes the last first */
        buf_char(&e.out, ' ');
        put_state(&e, "b", plan->batches[order[i].batch].name, ".ok");
    }
    buf_char(&e.out, '\n');
    bool ok = emit_file(plan->state_dir, "graph.ninja", &e.out, err);
    free(order);
    free(e.wanted);
    buf_release(&e.out);
    return ok;
}

bool emit_top(const struct plan *plan, struct err *err)
{
    struct emitter e = {.plan = plan};
    static const char *const parts[] = {"rules.ninja", "graph.ninja"};
    buf_z(&e.out, "builddir = ");
    emit_value(&e.out, pyname_below(plan->state_dir, plan->root));
    for (size_t i = 0; i < 2; i++) {
        buf_z(&e.out, "\ninclude ");
        emit_path(&e.out, plan->state_dir, plan->root);
        buf_printf(&e.out, "/%s", parts[i]);
    }
    buf_z(&e.out, "\nbuild fastest_batches: phony");
    for (uint32_t i = 0; i < plan->n_batches; i++) {
        if (!plan_batch_stale(plan, &plan->batches[i]))
            continue;
        buf_char(&e.out, ' ');
        put_state(&e, "b", plan->batches[i].name, ".ok");
    }
    buf_z(&e.out, "\ndefault fastest_batches\n");
    bool ok = emit_file(plan->state_dir, "build.ninja", &e.out, err);
    buf_release(&e.out);
    return ok;
}
