#include "runtime/pool/range.h"

#include "runtime/base/arena.h"

#include <stdlib.h>

void range_push(struct range **list, bool front, struct task *t, uint32_t from, uint32_t to)
{
    struct range *r = xmalloc(sizeof *r);
    *r = (struct range){.task = t, .from = from, .to = to};
    while (!front && *list)
        list = &(*list)->next;
    r->next = *list;
    *list = r;
}

bool range_pop(struct range **list, struct range *out)
{
    struct range *r = *list;
    if (!r)
        return false;
    *out = *r;
    *list = r->next;
    free(r);
    return true;
}

void range_drop(struct range **list, const struct task *t)
{
    while (*list) {
        struct range *r = *list;
        if (r->task == t) {
            *list = r->next;
            free(r);
        } else {
            list = &r->next;
        }
    }
}

uint32_t range_count(const struct range *r)
{
    uint32_t n = 0;
    for (; r; r = r->next)
        n++;
    return n;
}
