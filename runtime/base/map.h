/* Hash map from byte strings to a pointer-sized value (open addressing, XXH3). Zeroed = empty.
 * Keys are views and are not copied: they must outlive the map. */
#ifndef FASTEST_BASE_MAP_H
#define FASTEST_BASE_MAP_H

#include "runtime/base/str.h"

#include <stdint.h>

struct map_slot {
    struct str key;
    uint64_t hash;
    uintptr_t value;
};
struct map {
    struct map_slot *slots;
    size_t n, cap; /* cap is 0 or a power of two */
};

/* Pointer to the value of key, or NULL. Valid until the next map_put. */
uintptr_t *map_get(const struct map *m, struct str key);
/* Pointer to the value of key, inserted as 0 when absent; *added (may be NULL) says which. */
uintptr_t *map_put(struct map *m, struct str key, bool *added);
void map_release(struct map *m);

#endif
