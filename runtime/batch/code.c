#include "runtime/batch/code.h"

#include <stdlib.h>
#include <string.h>

struct str code_base(struct str path)
{
    struct str base = path_base(path), dir = path_base(path_dir(path));
    return dir.n && dir.p >= path.p ? (struct str){dir.p, (size_t)(base.p + base.n - dir.p)} : base;
}

struct code_lines *code_add(struct code *c, struct str path)
{
    uintptr_t *slot = map_get(&c->paths, path);
    if (!slot) {
        struct str own = {arena_dup(&c->arena, path.p, path.n), path.n};
        slot = map_put(&c->paths, own, NULL);
        *slot = (uintptr_t)arena_alloc(&c->arena, sizeof(struct code_lines));
        *map_put(&c->bases, code_base(own), NULL) = 1;
    }
    return (struct code_lines *)*slot;
}

static bool scan_lines(struct json *j, struct code_lines *l)
{
    bool ok = json_enter(j, '[');
    while (ok && json_item(j)) {
        uint32_t line;
        ok = json_u32(j, &line);
        l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
        l->items[l->n++] = line;
    }
    return ok && !j->bad;
}

bool code_scan(struct code *c, struct json *j)
{
    struct buf path = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &path))
        ok = scan_lines(j, code_add(c, buf_view(&path)));
    buf_release(&path);
    return ok && !j->bad;
}

const struct code_lines *code_find(const struct code *c, struct str path)
{
    const uintptr_t *slot = map_get(&c->paths, path);
    return slot ? (const struct code_lines *)*slot : NULL;
}

bool code_has_base(const struct code *c, struct str path)
{
    return map_get(&c->bases, code_base(path)) != NULL;
}

void code_release(struct code *c)
{
    for (size_t i = 0; i < c->paths.cap; i++)
        if (c->paths.slots[i].value)
            free(((struct code_lines *)c->paths.slots[i].value)->items);
    map_release(&c->paths);
    map_release(&c->bases);
    arena_release(&c->arena);
    memset(c, 0, sizeof *c);
}
