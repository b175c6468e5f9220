/* Starting programs. An exec that fails is reported by the parent, through a close-on-exec pipe. */
#ifndef FASTEST_PROC_SPAWN_H
#define FASTEST_PROC_SPAWN_H

#include "runtime/base/err.h"

#include <sys/types.h>

struct spawn {
    char *const *argv; /* argv[0] is the path; ends with NULL */
    const char *cwd;   /* NULL = the caller's */
    int fd3;           /* becomes descriptor 3; -1 for none */
};

/* A child in a process group of its own, stdin /dev/null, stdout and stderr the caller's, the
 * caller's environment, default signals. The caller reaps it. -1 with err. */
pid_t spawn_start(const struct spawn *s, struct err *err);

/* A daemon: a session of its own, not our child, stdin in_fd (-1: /dev/null), stdout and stderr out_fd, no other
 * descriptor of ours (so that nobody who waits for the end of our pipes waits for it). */
bool spawn_detached(char *const *argv, int in_fd, int out_fd, struct err *err);

#endif
