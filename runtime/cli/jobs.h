/* What the build around us allows: Ninja's -j, GNU make's jobserver (its manual, "POSIX Jobserver Interaction"). */
#ifndef FASTEST_CLI_JOBS_H
#define FASTEST_CLI_JOBS_H

#include "generator/graph/plan.h"

/* Fills jobs, job_input, job_output and job_edges; strings live in a. under_ninja: an edge of Ninja's asks. */
void jobs_find(struct plan_options *o, bool under_ninja, struct arena *a);
/* -j of this command line (NUL-separated, as in /proc); 0 when it has none. */
uint32_t jobs_of_arguments(struct str arguments);
/* jobs_linux.c: arguments and executable of the ninja that runs us; false when there is none. */
bool jobs_ninja(struct buf *arguments, struct buf *program);

#endif
