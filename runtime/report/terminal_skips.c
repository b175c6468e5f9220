#include "runtime/report/terminal_skips.h"

#include <inttypes.h>
#include <stdlib.h>

void terminal_skips_add(struct terminal_skips *s, struct str path, int64_t line, struct str reason)
{
    struct buf key = {0};
    bool added;
    buf_str(&key, path);
    buf_printf(&key, "%c%" PRId64 "%c", '\0', line, '\0');
    buf_str(&key, reason);
    char *kept = arena_dup(&s->arena, key.p, key.n);
    uintptr_t *at = map_put(&s->known, (struct str){kept, key.n}, &added);
    if (added) {
        s->items = xgrow(s->items, &s->cap, s->n + 1, sizeof *s->items);
        s->items[s->n] = (struct terminal_skip){.path = {kept, path.n}, .line = line,
                                                .reason = {kept + key.n - reason.n, reason.n}};
        *at = s->n++;
    }
    s->items[*at].count++;
    buf_release(&key);
}

void terminal_skips_release(struct terminal_skips *s)
{
    free(s->items);
    map_release(&s->known);
    arena_release(&s->arena);
    *s = (struct terminal_skips){0};
}
