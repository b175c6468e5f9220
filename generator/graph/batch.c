#include "generator/graph/batch.h"

#include "generator/files/pyname.h"

enum { SINGLE_MAX = 64, WANTED = 48 };

/* The weight that a batch should have, in steps of 1 and 1.5 times a power of two: one more test
 * somewhere must not move every border. */
static uint64_t step_for(uint64_t total)
{
    uint64_t want = total / WANTED + 1, step = 2;
    while (step < want && step + step / 2 < want)
        step *= 2;
    if (step < want)
        step += step / 2;
    return step;
}

static uint32_t weight_of(const uint32_t *weights, uint32_t i)
{
    return weights[i] ? weights[i] : 1;
}

/* Where the batch that starts at `first` ends. */
static uint32_t batch_end(const struct plan *plan, const uint32_t *weights, uint32_t first,
                          uint64_t step)
{
    uint64_t sum = weight_of(weights, first);
    struct str dir = path_dir(plan->modules[first].path);
    uint32_t i = first + 1;
    for (; i < plan->n_modules && sum < step; i++) {
        uint64_t w = weight_of(weights, i);
        bool other_dir = !str_eq(path_dir(plan->modules[i].path), dir);
        if (w >= step || sum + w > step + step / 2 || (other_dir && sum >= step / 3))
            break;
        sum += w;
    }
    return i;
}

static struct str batch_name(struct plan *plan, uint32_t first, uint32_t count)
{
    struct buf b = {0};
    pyname_stem(&b, plan->modules[first].rel);
    if (count > 1)
        buf_printf(&b, "+%u", count - 1);
    struct str name = {arena_dup(&plan->arena, b.p, b.n), b.n};
    buf_release(&b);
    return name;
}

void batch_group(struct plan *plan, const uint32_t *weights, bool single)
{
    uint64_t total = 0;
    plan->batches = arena_array(&plan->arena, (size_t)plan->n_modules + 1, sizeof *plan->batches);
    plan->n_batches = 0;
    for (uint32_t i = 0; i < plan->n_modules; i++)
        total += weight_of(weights, i);
    uint64_t step = plan->n_modules <= SINGLE_MAX ? 0 : step_for(total);
    for (uint32_t i = 0; i < plan->n_modules;) {
        uint32_t end = single ? plan->n_modules : step ? batch_end(plan, weights, i, step) : i + 1;
        struct plan_batch *b = &plan->batches[plan->n_batches];
        *b = (struct plan_batch){batch_name(plan, i, end - i), i, end - i};
        for (; i < end; i++)
            plan->modules[i].batch = plan->n_batches;
        plan->n_batches++;
    }
    if (plan->other)
        plan->batches[plan->n_batches++] = (struct plan_batch){STR("@other"), plan->n_modules, 0};
}
