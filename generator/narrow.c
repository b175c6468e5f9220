#include "generator/narrow.h"

#include "runtime/base/map.h"

#include <stdlib.h>

uint32_t narrow_modules(const struct narrow *narrow, struct strs *modules)
{
    struct map there = {0};
    struct strs out = {0};
    if (!narrow || !narrow->modules.n)
        return 0;
    for (size_t i = 0; i < modules->n; i++)
        *map_put(&there, modules->items[i], NULL) = i + 1;
    for (size_t i = 0; i < narrow->modules.n; i++) {
        uintptr_t *at = map_get(&there, narrow->modules.items[i]);
        if (!at || !*at)
            continue;
        strs_add(&out, modules->items[*at - 1]);
        *at = 0;
    }
    uint32_t first = (uint32_t)out.n;
    for (size_t i = 0; i < modules->n && !narrow->alone; i++)
        if (*map_get(&there, modules->items[i]))
            strs_add(&out, modules->items[i]);
    map_release(&there);
    strs_release(modules);
    *modules = out;
    return first;
}

static bool is_of(struct str id, struct str rel)
{
    return str_starts(id, rel) && id.n > rel.n + 1 && id.p[rel.n] == ':' && id.p[rel.n + 1] == ':';
}

struct str narrow_selection(const struct narrow *narrow, struct str selection, struct str rel, struct arena *a)
{
    struct buf b = {0};
    for (size_t i = 0; narrow && i < narrow->only.n; i++) {
        if (!is_of(narrow->only.items[i], rel))
            continue;
        if (!b.n)
            buf_str(&b, selection);
        buf_z(&b, "\nonly ");
        buf_str(&b, narrow->only.items[i]);
    }
    if (!b.n)
        return selection;
    struct str out = {arena_dup(a, b.p, b.n), b.n};
    buf_release(&b);
    return out;
}

static struct str *copies(const struct strs *from, struct arena *a, uint32_t *n)
{
    struct str *out = arena_array(a, from->n, sizeof *out);
    *n = (uint32_t)from->n;
    for (uint32_t i = 0; i < *n; i++)
        out[i] = (struct str){arena_dup(a, from->items[i].p, from->items[i].n), from->items[i].n};
    return out;
}

void narrow_plan(const struct narrow *narrow, struct plan *plan)
{
    if (!narrow)
        return;
    plan->only = copies(&narrow->only, &plan->arena, &plan->n_only);
    plan->first = copies(&narrow->first, &plan->arena, &plan->n_first);
}
