/* Tells which files of some directories change: inotify(7), kqueue(2). notify_linux.c, notify_darwin.c.
 *
 * struct notify *n = notify_open(&err); notify_add(n, dir, &err) for each directory, not for those below it;
 * poll(2) for notify_fd(n), then notify_read; notify_close(n). One thread. */
#ifndef FASTEST_CLI_NOTIFY_H
#define FASTEST_CLI_NOTIFY_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

struct notify;

enum notify_what {
    NOTIFY_DONE,  /* it was written, or took the place of another */
    NOTIFY_MADE,  /* its writer has more to do, and tells when that is done */
    NOTIFY_GONE,  /* an editor that saves may be about to put another in its place */
    NOTIFY_DIR,   /* a directory that is there now */
    NOTIFY_LOST   /* the system has dropped events: anything may have changed; there is no path */
};
typedef void notify_fn(void *ctx, enum notify_what what, struct str path);

/* NULL with err, which says which limit to raise. */
struct notify *notify_open(struct err *err);
void notify_close(struct notify *n); /* NULL is allowed */
/* False with err. A directory that is watched already, or is gone, is no error. */
bool notify_add(struct notify *n, struct str dir, struct err *err);
int notify_fd(const struct notify *n);
/* What there is now, without waiting. */
void notify_read(struct notify *n, notify_fn *changed, void *ctx);

#endif
