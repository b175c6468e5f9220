#include "runtime/cli/follow.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"
#include "runtime/cli/debugger.h"
#include "runtime/pool/pool.h"
#include "runtime/proc/signals.h"
#include "runtime/wire/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTLE_NS INT64_C(2000000000)
#define RETRY_NS INT64_C(200000000) /* a pool that has ended is started again by a batch */

static void set_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* ---- the pool ---- */

static void connect_pool(struct follow *f)
{
    struct buf b = {0}, frame = {0};
    bool results = live_wants_results(f->live);
    if (!results && !f->plan->options.slow_ms)
        return;
    f->watch_fd = pool_connect(f->plan->state_dir);
    if (f->watch_fd < 0)
        return;
    pack_u64(&b, f->plan->run_id);
    pack_u8(&b, !results ? WATCH_NOTICES_ONLY : live_wants_text(f->live) ? WATCH_WITH_TEXT : 0);
    frame_add(&frame, WIRE_WATCH, 0, buf_view(&b));
    if (io_write_all(f->watch_fd, frame.p, frame.n)) {
        set_nonblocking(f->watch_fd);
    } else {
        close(f->watch_fd);
        f->watch_fd = -1;
    }
    buf_release(&b);
    buf_release(&frame);
}

static void disconnect(struct follow *f)
{
    if (f->watch_fd >= 0)
        close(f->watch_fd);
    f->watch_fd = -1;
    frame_in_release(&f->in);
    f->in = (struct frame_in){0};
    f->retry_ns = clock_mono_ns() + RETRY_NS;
}

static void take_module(struct follow *f, const struct frame *frame)
{
    struct unpack u = {.p = (const unsigned char *)frame->payload.p, .n = frame->payload.n};
    struct str json = {0};
    unpack_str(&u);
    uint32_t n = u.n == 4 ? unpack_u32(&u) : unpack_count(&u, 4); /* without texts the groups are left out */
    if (u.n) {
        for (uint32_t i = 0; i < n; i++)
            unpack_u32(&u);
        for (int column = 0; column < 2; column++) /* limits, lanes */
            for (uint32_t i = unpack_count(&u, 4); i > 0; i--)
                unpack_u32(&u);
        json = unpack_str(&u);
    }
    if (!u.bad)
        live_module(f->live, frame->tag, n, json);
}

/* A line of the pool's. */
static void tell(struct follow *f, struct str text)
{
    struct buf line = {0};
    buf_z(&line, "fastest: ");
    buf_str(&line, text);
    if (live_wants_results(f->live))
        live_notice(f->live, buf_view(&line));
    else
        fprintf(stderr, "%s\n", line.p);
    buf_release(&line);
}

static void take_frame(struct follow *f, const struct frame *frame)
{
    struct unpack u = {.p = (const unsigned char *)frame->payload.p, .n = frame->payload.n};
    if (frame->type == WIRE_COLLECTED) {
        live_collected(f->live, unpack_u32(&u));
    } else if (frame->type == WIRE_MODULE) {
        take_module(f, frame);
    } else if (frame->type == WIRE_RESULT) {
        uint32_t item = unpack_u32(&u);
        uint8_t outcome = unpack_u8(&u);
        struct str json = u.n ? unpack_str(&u) : (struct str){0};
        if (!u.bad && outcome < OUT_COUNT)
            live_result(f->live, frame->tag, item, (enum record_outcome)outcome, json);
    } else if (frame->type == WIRE_NOTICE) {
        tell(f, frame->payload);
    } else if (frame->type == WIRE_STATUS) {
        f->answered = true;
    } else if (frame->type == WIRE_MODULE_END) {
        live_module_end(f->live, frame->tag);
    }
}

/* What has come by now. */
static void read_pool(struct follow *f)
{
    struct frame frame;
    while (f->watch_fd >= 0) {
        enum frame_status got = frame_next(&f->in, &frame);
        if (got == FRAME_GOT) {
            take_frame(f, &frame);
            continue;
        }
        ssize_t n = got == FRAME_BAD ? 0 : frame_fill(&f->in, f->watch_fd);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        if (n <= 0)
            disconnect(f);
    }
}

/* Ninja may end before the pool has written to us what it told the batches: an answer of its comes after that. */
static void settle(struct follow *f)
{
    struct buf ask = {0};
    int64_t deadline = clock_mono_ns() + SETTLE_NS;
    frame_add(&ask, WIRE_STATUS, 0, (struct str){0});
    f->answered = f->watch_fd < 0 || !io_write_all(f->watch_fd, ask.p, ask.n);
    read_pool(f);
    while (f->watch_fd >= 0 && !f->answered && clock_mono_ns() < deadline) {
        struct pollfd p = {.fd = f->watch_fd, .events = POLLIN};
        poll(&p, 1, clock_poll_ms(deadline));
        read_pool(f);
    }
    buf_release(&ask);
}

/* ---- Ninja ---- */

static void read_output(struct follow *f)
{
    char text[1 << 14];
    ssize_t n;
    while (f->output_fd >= 0 && (n = read(f->output_fd, text, sizeof text)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return;
        if (f->aside)
            fwrite(text, 1, (size_t)n, f->aside);
        else
            live_text(f->live, (struct str){text, (size_t)n});
    }
    f->output_fd = -1; /* its end: poll must not wait for it */
}

/* True when Ninja has ended. */
static bool take_signals(struct follow *f, pid_t pid, int *status)
{
    bool ended = false;
    for (int sig; (sig = signals_take(f->signal_fd)) != 0;) {
        if (sig == SIGCHLD) {
            ended = ended || waitpid(pid, status, WNOHANG) == pid;
        } else if (sig == SIGWINCH) {
            live_resize(f->live, terminal_width(STDOUT_FILENO));
        } else if (sig != SIGINT || !debugger_interrupt()) {
            f->interrupted = sig;
            kill(pid, sig == SIGHUP ? SIGTERM : sig);
        }
    }
    return ended;
}

static int wait_ms(const struct follow *f, int64_t due_ns)
{
    int64_t deadline = due_ns;
    if (f->watch_fd < 0 && (live_wants_results(f->live) || f->plan->options.slow_ms) && (deadline == 0 || f->retry_ns < deadline))
        deadline = f->retry_ns;
    return clock_poll_ms(deadline);
}

void follow_run(struct follow *f, pid_t pid, int output_fd, int *status)
{
    f->output_fd = output_fd;
    set_nonblocking(output_fd);
    if (f->interrupted)
        kill(pid, SIGINT);
    bool ended = waitpid(pid, status, WNOHANG) == pid; /* before there was a handler */
    while (!ended) {
        struct pollfd p[3] = {{.fd = f->signal_fd, .events = POLLIN},
                              {.fd = f->output_fd, .events = POLLIN},
                              {.fd = f->watch_fd, .events = POLLIN}};
        int64_t now = clock_mono_ns(); /* a debugger has the terminal to itself */
        int64_t due = debugger_busy() ? now + RETRY_NS : live_tick(f->live, now);
        if (poll(p, 3, wait_ms(f, due)) < 0 && errno != EINTR)
            break;
        read_output(f);
        read_pool(f);
        if (f->watch_fd < 0 && clock_mono_ns() >= f->retry_ns) {
            connect_pool(f);
            f->retry_ns = clock_mono_ns() + RETRY_NS;
        }
        ended = take_signals(f, pid, status);
    }
    settle(f);
    read_output(f);
    f->output_fd = -1;
}

bool follow_open(struct follow *f, const struct plan *plan, struct live *live, FILE *aside, struct err *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGWINCH};
    debugger_watch(plan->state_dir);
    *f = (struct follow){.plan = plan, .live = live, .aside = aside, .watch_fd = -1, .output_fd = -1};
    f->signal_fd = signals_open(signals, sizeof signals / sizeof *signals);
    if (f->signal_fd < 0)
        return err_errno(err, "cannot make a pipe");
    connect_pool(f);
    return true;
}

bool follow_is_over(void *follow)
{
    struct follow *f = follow;
    for (int sig; (sig = signals_take(f->signal_fd)) != 0;) {
        if (sig == SIGWINCH)
            live_resize(f->live, terminal_width(STDOUT_FILENO));
        else if (sig != SIGCHLD && (sig != SIGINT || !debugger_interrupt()))
            f->interrupted = sig;
    }
    return f->interrupted != 0;
}

void follow_close(struct follow *f)
{
    disconnect(f);
    signals_close(f->signal_fd); /* what is printed now may have no reader */
}
