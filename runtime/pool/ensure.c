/* The client side of the pool's life. Blocking, with deadlines. */
#include "runtime/pool/pool.h"

#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/base/pack.h"
#include "runtime/pool/lock.h"
#include "runtime/proc/environ.h"
#include "runtime/proc/spawn.h"
#include "runtime/wire/frame.h"
#include "runtime/wire/msg.h"
#include "runtime/wire/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
enum { START_WAIT_S = 60, ANSWER_WAIT_S = 60, END_WAIT_S = 20, TERM_WAIT_S = 3 };

static bool send_all(int fd, const char *p, size_t n)
{
    bool ok = true;
    for (size_t at = 0; ok && at < n;) {
        ssize_t sent = send(fd, p + at, n - at, MSG_NOSIGNAL);
        ok = sent > 0 || (sent < 0 && errno == EINTR);
        at += sent > 0 ? (size_t)sent : 0;
    }
    return ok;
}

static bool send_frame(int fd, uint16_t type, uint32_t tag, struct str payload)
{
    struct buf b = {0};
    frame_add(&b, type, tag, payload);
    bool ok = send_all(fd, b.p, b.n);
    buf_release(&b);
    return ok;
}

static bool say_hello(int fd)
{
    struct buf b = {0};
    pack_u32(&b, WIRE_VERSION);
    pack_u32(&b, (uint32_t)getpid());
    pack_u32(&b, 0);
    pack_str(&b, (struct str){0});
    bool ok = send_frame(fd, WIRE_HELLO, ROLE_CLIENT, buf_view(&b));
    buf_release(&b);
    return ok;
}

int pool_connect(struct str state_dir)
{
    struct buf path = {0};
    struct err err = {0};
    int fd = sock_path(state_dir, &path, &err) ? sock_connect(path.p) : -1;
    if (fd >= 0 && !say_hello(fd)) {
        close(fd);
        fd = -1;
    }
    buf_release(&path);
    return fd;
}

/* Waits for a frame of this type: 1 got it, 0 end of the stream or time, -1 an ERROR (in *out). */
static int await_frame(int fd, uint16_t type, int seconds, struct buf *out)
{
    struct frame_in in = {0};
    struct frame f;
    int64_t deadline = clock_mono_ns() + seconds * SECOND;
    int result = 0;
    for (bool more = true; more;) {
        enum frame_status got = frame_next(&in, &f);
        if (got == FRAME_GOT && (f.type == type || f.type == WIRE_ERROR)) {
            buf_str(out, f.payload);
            result = f.type == type ? 1 : -1;
            break;
        }
        if (got == FRAME_GOT)
            continue;
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int n = got == FRAME_BAD ? 0 : poll(&p, 1, clock_poll_ms(deadline));
        more = (n < 0 && errno == EINTR) || (n > 0 && frame_fill(&in, fd) > 0);
    }
    frame_in_release(&in);
    return result;
}

/* Tells a pool that runs about the plan: 1 it serves it, 0 it has ended or will, -1 err is set. */
static int offer_plan(const struct plan *plan, struct err *err)
{
    struct buf b = {0}, reply = {0};
    int fd = pool_connect(plan->state_dir), result = 0;
    if (fd < 0)
        return 0;
    pack_u64(&b, plan->run_id);
    pack_u64(&b, environ_hash());
    if (send_frame(fd, WIRE_PLAN, 0, buf_view(&b)))
        result = await_frame(fd, WIRE_PLAN, ANSWER_WAIT_S, &reply);
    if (result < 0)
        err_set(err, "%s", reply.p);
    close(fd);
    buf_release(&b);
    buf_release(&reply);
    return result;
}

/* The daemon writes a newline when it listens, or why it cannot. */
static bool await_ready(int fd, struct err *err)
{
    char text[512];
    size_t n = 0;
    int64_t deadline = clock_mono_ns() + START_WAIT_S * SECOND;
    while (n < sizeof text - 1) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int r = poll(&p, 1, clock_poll_ms(deadline));
        if (r < 0 && errno == EINTR)
            continue;
        if (r == 0)
            return err_set(err, "the pool does not start within %d s", START_WAIT_S);
        ssize_t got = read(fd, text + n, sizeof text - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        if (text[0] == '\n')
            return true;
    }
    text[n] = '\0';
    return err_set(err, "the pool did not start: %s", n ? text : "it ended at once");
}

static bool start_pool(const struct plan *plan, const char *fastest_path, struct err *err)
{
    struct arena a = {0};
    int fds[2];
    char command[] = "pool", option[] = "--state-dir";
    char *argv[] = {arena_dup(&a, fastest_path, strlen(fastest_path)), command, option,
                    arena_dup(&a, plan->state_dir.p, plan->state_dir.n), NULL};
    bool ok = pipe(fds) == 0;
    if (ok) {
        fcntl(fds[0], F_SETFD, FD_CLOEXEC);
        fcntl(fds[1], F_SETFD, FD_CLOEXEC);
        ok = spawn_detached(argv, -1, fds[1], err);
        close(fds[1]);
        ok = ok && await_ready(fds[0], err);
        close(fds[0]);
    } else {
        err_errno(err, "cannot make a pipe");
    }
    arena_release(&a);
    return ok;
}

void pool_early_drop(struct pool_early *e)
{
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
}

void pool_early_begin(void *early, const char *python)
{
    struct pool_early *e = early;
    struct arena a = {0};
    struct err ignored;
    int fds[2];
    char command[] = "pool", option[] = "--state-dir", told[] = "/dev/stdin";
    char *argv[] = {arena_dup(&a, e->fastest_path, strlen(e->fastest_path)), command, option, told, NULL};
    e->fd = -1;
    if (sock_pair(fds, &ignored)) {
        e->fd = fds[0];
        if (!spawn_detached(argv, fds[1], fds[1], &ignored) || !send_all(e->fd, python, strlen(python) + 1))
            pool_early_drop(e);
        close(fds[1]);
    }
    arena_release(&a);
}

static bool take_early(struct pool_early *e, const struct plan *plan)
{
    struct err ignored;
    bool ok = e && e->fd >= 0 && send_all(e->fd, plan->state_dir.p, plan->state_dir.n) && shutdown(e->fd, SHUT_WR) == 0 &&
              await_ready(e->fd, &ignored);
    if (e)
        pool_early_drop(e);
    return ok;
}

bool pool_ensure(const struct plan *plan, const char *fastest_path, struct pool_early *early, struct err *err)
{
    int lock = lock_start(plan->state_dir, err);
    if (lock < 0)
        return false;
    int served = offer_plan(plan, err);
    bool ok = served > 0 || (served == 0 && (take_early(early, plan) || start_pool(plan, fastest_path, err)));
    close(lock);
    return ok;
}

/* ---- the end ---- */

static bool await_end(int fd, int seconds)
{
    struct buf b = {0};
    int64_t deadline = clock_mono_ns() + seconds * SECOND;
    await_frame(fd, 0, seconds, &b); /* no frame has type 0: until the end of the stream */
    buf_release(&b);
    return clock_mono_ns() < deadline;
}

static void stop_and_wait(int fd, struct str state_dir)
{
    if (send_frame(fd, WIRE_STOP, 0, (struct str){0}) && !await_end(fd, END_WAIT_S)) {
        pid_t pid = lock_holder(state_dir);
        if (pid)
            kill(pid, SIGTERM);
        if (!await_end(fd, TERM_WAIT_S) && pid && lock_holder(state_dir) == pid)
            kill(pid, SIGKILL);
    }
    close(fd);
}

void pool_finish(const struct plan *plan)
{
    int fd = plan->options.persistent ? -1 : pool_connect(plan->state_dir);
    if (fd >= 0)
        stop_and_wait(fd, plan->state_dir);
}

/* The state directory as pools know it: by its real path. */
static int connect_by_name(const char *state_dir, struct str *real, char **owned)
{
    *owned = realpath(state_dir, NULL);
    *real = str_z(*owned ? *owned : state_dir);
    return pool_connect(*real);
}

bool pool_stop(const char *state_dir)
{
    struct str real;
    char *owned;
    int fd = connect_by_name(state_dir, &real, &owned);
    if (fd >= 0)
        stop_and_wait(fd, real);
    free(owned);
    return fd >= 0;
}

bool pool_status(const char *state_dir, struct buf *out)
{
    struct str real;
    char *owned;
    int fd = connect_by_name(state_dir, &real, &owned);
    bool ok = fd >= 0 && send_frame(fd, WIRE_STATUS, 0, (struct str){0}) &&
              await_frame(fd, WIRE_STATUS, ANSWER_WAIT_S, out) == 1;
    if (fd >= 0)
        close(fd);
    free(owned);
    return ok;
}
