/* --lf, --ff, --nf and --sw: from pytest's cache (pytest_cache.h) and what discovery finds, what is left to run and in
 * which order. Where the sources alone cannot tell it, plain pytest has to.
 *
 * struct narrowing n = {0}; if (narrowing_find(&n, cli, &code, &err)) … n.narrow …; narrowing_done after the run;
 * narrowing_release(&n). */
#ifndef FASTEST_CLI_NARROW_H
#define FASTEST_CLI_NARROW_H

#include "generator/generate.h"
#include "runtime/report/pytest_cache.h"

struct cli;

struct narrowing {
    bool any;             /* one of the options is given */
    const char *plain;    /* the option for which plain pytest is needed, or NULL */
    struct narrow narrow;
    struct buf status;    /* pytest's line about it: "run-last-failure: rerun previous 2 failures" */
    bool stepwise;
    struct pytest_stepwise state;
    uint32_t pytest;      /* 902 is 9.2 */
    struct arena arena;
};

/* False with err and *code. */
bool narrowing_find(struct narrowing *n, struct cli *c, enum exit_code *code, struct err *err);
/* After a run: where --stepwise stands now. *stopped: it has come to a failure. */
bool narrowing_done(struct narrowing *n, const struct cli *c, const struct plan *plan, bool *stopped, struct err *err);
void narrowing_release(struct narrowing *n);

#endif
