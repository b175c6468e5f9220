/* How long tests took and how they ended, in the last runs (<state>/history.bin).
 *
 * Only what really ran is noted, with the key of its module: an outcome that changes while the key does not is a flip.
 * A file, not a database: 10,000 tests with 16 runs each are read in 5 ms of CPU and written in 10; SQLite took 95 ms to
 * add one run of them and 123 to compute their means (20 MB against 3).
 *
 * struct history h; history_load(&h, state_dir); … history_find(&h, id) …; history_release(&h).
 * After a run the summary notes what has run (summary.h). A damaged file counts as empty. */
#ifndef FASTEST_REPORT_HISTORY_H
#define FASTEST_REPORT_HISTORY_H

#include "generator/graph/record.h"
#include "runtime/base/map.h"
#include "runtime/report/model.h"

enum { HISTORY_RUNS = 16 };

struct history_run {
    uint8_t outcome;      /* enum record_outcome */
    uint32_t duration_us; /* of all its phases */
    uint32_t key;         /* of what its module's result depends on: equal for equal sources */
    uint32_t when_s;      /* end of the module's run, seconds since 1970 */
};
struct history_test {
    struct str id;
    uint32_t n;           /* oldest first */
    struct history_run runs[HISTORY_RUNS];
};
struct history {
    struct history_test *tests; /* malloc'ed; by id */
    size_t n, cap;
    struct map at;              /* id → index + 1 */
    struct buf file;
    struct arena arena;
};

bool history_load(struct history *h, struct str state_dir); /* false: empty */
void history_release(struct history *h);
const struct history_test *history_find(const struct history *h, struct str id); /* NULL: never ran */
/* The test, made when it is new. */
struct history_test *history_add(struct history *h, struct str id, struct history_run run);
/* False with err. Tests that did not run for so long are forgotten (0: none). */
bool history_save(struct history *h, struct str state_dir, uint32_t now_s, uint32_t keep_s, struct err *err);

/* The mean of the last runs in which it passed, recent ones count more; of all when it never passed. Seconds, -1: unknown. */
double history_mean_s(const struct history_test *t);
/* How often it ended otherwise than the time before, although nothing that it depends on had changed. */
unsigned history_flips(const struct history_test *t);
bool history_failed(const struct history_run *r);

/* Adds a test that has run, of module m; then, after the last one, saves what is recent enough. */
void history_note(struct history *h, const struct report_module *m, const struct report_test *t);
bool history_keep(struct history *h, struct str state_dir, struct err *err);

#endif
