/* Waits for Ninja while the tests run, and shows what happens: results from the pool, Ninja's own output.
 *
 * follow_open before Ninja is started (it takes over SIGINT, SIGTERM, SIGHUP, SIGCHLD and SIGWINCH), follow_run
 * with its process id and the reading end of its output, follow_close. */
#ifndef FASTEST_CLI_FOLLOW_H
#define FASTEST_CLI_FOLLOW_H

#include "generator/graph/plan.h"
#include "runtime/report/live.h"
#include "runtime/wire/frame.h"

#include <sys/types.h>

struct follow {
    const struct plan *plan;
    struct live *live;
    FILE *aside;       /* gets Ninja's output when something else is printed, else NULL */
    int signal_fd, watch_fd, output_fd;
    int interrupted;   /* the signal, 0 = none */
    bool answered;     /* the pool has, at the end */
    struct frame_in in;
    int64_t retry_ns;  /* when to connect to the pool again */
};

bool follow_open(struct follow *f, const struct plan *plan, struct live *live, FILE *aside, struct err *err);
/* Until the process has ended; *status is its wait status. Signals are forwarded to it. */
void follow_run(struct follow *f, pid_t pid, int output_fd, int *status);
/* Between two runs of follow_run: has a signal come that ends all? */
bool follow_is_over(void *follow);
void follow_close(struct follow *f);

#endif
