/* pytest's own cache (.pytest_cache/v/cache): which tests failed last, which there are, where --stepwise stands. A run
 * of fastest leaves there what the same run of pytest would (pytest 7.0 to 9.2, _pytest/cacheprovider.py and
 * stepwise.py), so that both can go on where the other stopped.
 *
 * Ids are bytes, as json_string gives them. A file that is missing or is no JSON counts as empty, as in pytest. */
#ifndef FASTEST_REPORT_PYTEST_CACHE_H
#define FASTEST_REPORT_PYTEST_CACHE_H

#include "generator/graph/plan.h"
#include "runtime/base/map.h"

/* Ids in order, each once. Zeroed = empty. */
struct id_set {
    struct strs list; /* a removed one has p == NULL */
    struct map at;    /* id → index + 1 */
    struct arena arena;
};
bool id_set_has(const struct id_set *s, struct str id);
void id_set_add(struct id_set *s, struct str id);
bool id_set_remove(struct id_set *s, struct str id); /* false: it was not there */
size_t id_set_count(const struct id_set *s);
void id_set_release(struct id_set *s);

/* "lastfailed" (an object's keys) or "nodeids" (a list) of this directory. False when there is none. */
bool pytest_cache_ids(struct str dir, const char *name, struct id_set *out);

struct pytest_stepwise {
    struct str last_failed; /* "" for none; in the arena */
    int64_t last_count;     /* of tests; -1: not said (pytest 8.3 and older) */
    int64_t saved_s;        /* local time's seconds when it was written; 0: not said */
};
void pytest_cache_stepwise(struct str dir, struct arena *a, struct pytest_stepwise *out);

/* In the form that this pytest reads (804: 8.4). s NULL: the run was not stepwise, and an old form is emptied. */
bool pytest_cache_save_stepwise(struct str dir, const struct pytest_stepwise *s, uint32_t pytest, struct err *err);

/* After a run. Nothing is written that says the same already. False with err. */
bool pytest_cache_update(const struct plan *plan, struct err *err);
/* --cache-clear: what pytest keeps there is removed. */
void pytest_cache_clear(struct str dir);

#endif
