#include "runtime/base/map.h"

#include "runtime/base/arena.h"
#include "runtime/base/hash.h"

#include <stdlib.h>
#include <string.h>

/* The slot of key, or the free slot where it belongs. cap must not be 0 and never full. */
static struct map_slot *find(const struct map *m, struct str key, uint64_t hash)
{
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_slot *s = &m->slots[i];
        if (!s->key.p || (s->hash == hash && str_eq(s->key, key)))
            return s;
    }
}

static void grow(struct map *m)
{
    struct map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = xmalloc(m->cap * sizeof *m->slots);
    memset(m->slots, 0, m->cap * sizeof *m->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].key.p)
            *find(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    free(old.slots);
}

uintptr_t *map_get(const struct map *m, struct str key)
{
    if (!m->cap)
        return NULL;
    struct map_slot *s = find(m, key, hash64_of(key.p, key.n));
    return s->key.p ? &s->value : NULL;
}

uintptr_t *map_put(struct map *m, struct str key, bool *added)
{
    if (m->n * 4 >= m->cap * 3)
        grow(m);
    uint64_t hash = hash64_of(key.p, key.n);
    struct map_slot *s = find(m, key, hash);
    if (added)
        *added = !s->key.p;
    if (!s->key.p) {
        *s = (struct map_slot){.key = {key.p ? key.p : "", key.n}, .hash = hash};
        m->n++;
    }
    return &s->value;
}

void map_release(struct map *m)
{
    free(m->slots);
    *m = (struct map){0};
}
