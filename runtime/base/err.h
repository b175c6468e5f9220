/* One error, as a message that a person can act on.
 *
 * A function that can fail returns false (or NULL) and fills *err; only main.c prints and exits.
 * The message reads `path:line:col: what failed: why; what to do`. */
#ifndef FASTEST_BASE_ERR_H
#define FASTEST_BASE_ERR_H

#include <stdbool.h>

struct err {
    char msg[1024]; /* "" when there is no error; truncated with … when longer */
};

/* Formats into err and returns false, so that `return err_set(err, …)` works. err may be NULL. */
bool err_set(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same with ": strerror(errno)" appended. */
bool err_errno(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Exit codes: pytest's ExitCode (pytest 9 docs, reference/exit-codes). */
enum exit_code {
    EXIT_PASSED = 0,
    EXIT_FAILED = 1,
    EXIT_INTERRUPTED = 2,
    EXIT_INTERNAL = 3,
    EXIT_USAGE = 4,
    EXIT_NO_TESTS = 5
};

#endif
