/* One trial: some tests of a module in a fresh process with nothing beside it, after what is to come before them. */
#ifndef FASTEST_BATCH_TRIAL_H
#define FASTEST_BATCH_TRIAL_H

#include "runtime/batch/alone.h"
#include "runtime/batch/suspects.h"

struct verdict {
    bool passes;
    uint8_t outcome;   /* enum record_outcome */
    struct str json;   /* its *result*, in the trial's arena */
};

struct trial {
    const struct alone *alone; /* fn and ctx are the trial's own */
    const struct suspects *of;
    struct verdict *verdicts;  /* of suspects; NULL before the first trial */
    struct str module;         /* payload of the MODULE frame */
    struct arena arena;
};

enum { TRIAL_BEFORE = 1, TRIAL_PREFIX = 2 };

/* Runs the suspects k with wanted[k]. TRIAL_PREFIX: after all that comes before them in the module; TRIAL_BEFORE: and,
 * before that, after the modules that their process had run, as far as those come first in pytest's order.
 * imports: see alone.h. False when it could not be done; err only for what is our own. */
bool trial_run(struct trial *t, const bool *wanted, unsigned what, struct str imports, struct err *err);
/* Whether TRIAL_BEFORE | TRIAL_PREFIX adds anything. */
bool trial_has_before(const struct trial *t, const bool *wanted);
/* What has to run for that takes, as far as it is known. */
double trial_seconds(const struct trial *t, const bool *wanted, unsigned what);
void trial_release(struct trial *t);

#endif
