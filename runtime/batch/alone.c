#include "runtime/batch/alone.h"

#include "runtime/base/io.h"
#include "runtime/base/pack.h"
#include "runtime/pool/pool.h"
#include "runtime/proc/environ.h"
#include "runtime/wire/msg.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { LOOK_MS = 200 }; /* how soon a stop is noticed */

static bool send_request(const struct alone *a, int fd, const struct alone_module *modules, size_t n, struct str imports)
{
    struct buf b = {0}, frame = {0};
    pack_u64(&b, a->plan->run_id);
    pack_u64(&b, environ_hash());
    pack_str(&b, imports);
    pack_u32(&b, (uint32_t)n);
    for (size_t i = 0; i < n; i++) {
        pack_u32(&b, modules[i].module);
        pack_u32(&b, modules[i].n_items);
        for (uint32_t k = 0; k < modules[i].n_items; k++)
            pack_u32(&b, modules[i].items[k]);
    }
    frame_add(&frame, WIRE_ALONE, 0, buf_view(&b));
    bool ok = io_write_all(fd, frame.p, frame.n);
    buf_release(&b);
    buf_release(&frame);
    return ok;
}

static bool wait_readable(const struct alone *a, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    for (;;) {
        if (a->is_over && a->is_over(a->over_ctx))
            return false;
        int n = poll(&p, 1, LOOK_MS);
        if (n > 0)
            return true;
        if (n < 0 && errno != EINTR)
            return false;
    }
}

/* Until BATCH_END. */
static bool receive(const struct alone *a, int fd, struct err *err)
{
    struct frame_in in = {0};
    struct frame f;
    bool done = false, more = true;
    while (more && !done) {
        enum frame_status got = frame_next(&in, &f);
        if (got == FRAME_NONE)
            more = wait_readable(a, fd) && frame_fill(&in, fd) > 0;
        else if (got == FRAME_BAD || f.type == WIRE_ERROR)
            more = false;
        else if (f.type == WIRE_BATCH_END)
            done = true;
        else
            more = a->fn(a->ctx, &f, err);
    }
    frame_in_release(&in);
    return done;
}

bool alone_run(const struct alone *a, const struct alone_module *modules, size_t n, struct str imports, struct err *err)
{
    int fd = pool_connect(a->plan->state_dir);
    if (fd < 0)
        return false;
    bool ok = send_request(a, fd, modules, n, imports) && receive(a, fd, err);
    close(fd);
    return ok;
}
