/* A file that is written piece by piece, and takes its name when it is whole.
 *
 * struct out o; if (out_open(&o, path, &err)) { out_str(&o, …); … out_close(&o, &err); }
 * Writing never fails visibly: out_close tells. Without out_close, out_cancel removes what there is. */
#ifndef FASTEST_BASE_OUT_H
#define FASTEST_BASE_OUT_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

#include <stdint.h>

struct out {
    int fd;
    int error;        /* errno of the first failure, 0 = none */
    uint64_t n;       /* bytes so far */
    struct buf buf;   /* not yet written */
    struct buf path, tmp;
};

/* Makes the directory, too. False with err: nothing is to be cleaned up. */
bool out_open(struct out *o, const char *path, struct err *err);
void out_str(struct out *o, struct str s);
/* Everything so far is in the file; false after a failure. */
bool out_flush(struct out *o);
bool out_close(struct out *o, struct err *err);
void out_cancel(struct out *o); /* does nothing when it was closed */

#endif
