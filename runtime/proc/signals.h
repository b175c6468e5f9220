/* Signals as bytes in a pipe, for poll loops. At most one set a process.
 *
 * int fd = signals_open((int[]){SIGINT, SIGTERM}, 2); … poll fd for reading …
 * while ((sig = signals_take(fd)) != 0) … */
#ifndef FASTEST_PROC_SIGNALS_H
#define FASTEST_PROC_SIGNALS_H

#include <stddef.h>

/* Also ignores SIGPIPE. The descriptor, or -1 with errno. */
int signals_open(const int *signals, size_t n);
/* As it was before signals_open. */
void signals_close(int fd);
/* The next signal that came, 0 when there is none. */
int signals_take(int fd);
/* All signals to their defaults, nothing blocked: between fork and exec (async-signal-safe). */
void signals_reset(void);

#endif
