/* What the last run recorded about the modules that discovery cannot decide. The records are checked by a
 * scan (generate.h), which is made when the first module asks, and only where a run has been. */
#ifndef FASTEST_CLI_RECORDED_H
#define FASTEST_CLI_RECORDED_H

#include "generator/collect/discover.h"
#include "runtime/base/map.h"

struct recorded {
    const struct generate_options *scan; /* the same question; -k, -m and node ids are left out */
    bool asked, usable;
    struct plan plan;
    struct map modules;                  /* absolute path → index + 1 */
    struct arena arena;
};

/* See discover_options; ctx is a struct recorded. */
bool recorded_items(void *ctx, struct str path, struct discover_item **items, uint32_t *n);
void recorded_release(struct recorded *r);

#endif
