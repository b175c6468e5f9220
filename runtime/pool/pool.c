#include "runtime/pool/pool.h"

#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/pool/lock.h"
#include "runtime/pool/state.h"
#include "runtime/proc/environ.h"
#include "runtime/proc/signals.h"
#include "runtime/wire/msg.h"
#include "runtime/wire/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TAIL_BYTES = 4096, READS_A_ROUND = 8 };

void pool_log(const struct pool *p, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    (void)p;
    buf_z(&b, "pool: ");
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    buf_char(&b, '\n');
    if (!io_write_all(STDERR_FILENO, b.p, b.n))
        b.n = 0; /* a full disk does not end the run */
    buf_release(&b);
}

void pool_notice(struct pool *p, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    if (!str_contains(buf_view(&p->notes), buf_view(&b))) {
        pool_log(p, "%s", b.p);
        buf_str(&p->notes, buf_view(&b));
        buf_char(&p->notes, '\n');
        for (struct peer *peer = p->peers; peer; peer = peer->next)
            if (peer->watches)
                peer_send(peer, WIRE_NOTICE, 0, buf_view(&b));
    }
    buf_release(&b);
}

/* ---- errors ---- */

void pool_error(struct pool *p, uint32_t code, struct str text)
{
    if (p->error.n || p->life != LIFE_RUNS)
        return;
    buf_str(&p->error, text.n ? text : STR("pytest ended"));
    p->error_code = code;
    pool_log(p, "error %u: %s", code, p->error.p);
    run_fail_batches(p);
}

static void add_tail(struct pool *p, struct buf *out)
{
    char tail[TAIL_BYTES];
    int fd = open(p->log.p, O_RDONLY | O_CLOEXEC);
    off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : 0;
    off_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    ssize_t n = fd >= 0 ? pread(fd, tail, sizeof tail, from) : 0;
    if (n > 0) {
        buf_printf(out, "; the end of %s:\n", p->log.p);
        buf_add(out, tail, (size_t)n);
    }
    if (fd >= 0)
        close(fd);
}

void pool_fail(struct pool *p, uint32_t code, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    add_tail(p, &b);
    pool_error(p, code, buf_view(&b));
    buf_release(&b);
}

/* ---- peers ---- */

struct peer *peer_add(struct pool *p, int fd, uint32_t role)
{
    struct peer *peer = xmalloc(sizeof *peer);
    uid_t uid;
    memset(peer, 0, sizeof *peer);
    conn_init(&peer->conn, fd);
    peer->role = role;
    if (role == ROLE_NONE) {
        peer->conn.in.max_payload = WIRE_MAX_HELLO;
        sock_peer(fd, &uid, &peer->pid);
    }
    peer->next = p->peers;
    p->peers = peer;
    return peer;
}

void peer_send(struct peer *peer, uint16_t type, uint32_t tag, struct str payload)
{
    if (peer && !peer->dead)
        conn_send(&peer->conn, type, tag, payload);
}

static void accept_all(struct pool *p)
{
    int fd;
    while (p->listener >= 0 && ((fd = sock_accept(p->listener)) >= 0 || errno == EACCES))
        if (fd >= 0)
            peer_add(p, fd, ROLE_NONE);
}

static bool dispatch_all(struct pool *p, struct peer *peer)
{
    struct frame f;
    enum frame_status got;
    while (!peer->dead && (got = frame_next(&peer->conn.in, &f)) != FRAME_NONE)
        if (got == FRAME_BAD || !dispatch_frame(p, peer, &f)) {
            pool_log(p, "a peer (role %u) broke the protocol (frame %u): closed", peer->role,
                     got == FRAME_BAD ? 0u : f.type);
            return false;
        }
    return true;
}

static void read_peer(struct pool *p, struct peer *peer)
{
    for (int i = 0; !peer->dead && (i < READS_A_ROUND || peer->conn.broken); i++) {
        if (!conn_read(&peer->conn))
            break;
        p->now_ns = p->sched.now_ns = clock_mono_ns();
        if (!dispatch_all(p, peer)) {
            if (peer->worker)
                loss_terminate(p, peer->worker);
            peer->dead = true;
        }
    }
    if (peer->conn.eof || peer->conn.broken)
        peer->dead = true;
}

/* Closes what has ended. Handlers may mark further peers: until none is left. */
static void reap_peers(struct pool *p)
{
    for (bool again = true; again;) {
        again = false;
        for (struct peer **at = &p->peers; *at;) {
            struct peer *peer = *at;
            if (!peer->dead) {
                at = &peer->next;
                continue;
            }
            *at = peer->next;
            conn_flush(&peer->conn);
            dispatch_closed(p, peer);
            conn_close(&peer->conn);
            free(peer);
            again = true;
            break;
        }
    }
}

/* ---- the loop ---- */

static void reap_children(struct pool *p)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == p->zygote.pid)
            zygote_reaped(p, (uint32_t)status);
        else
            replica_reaped(p, pid, (uint32_t)status);
}

static void take_signals(struct pool *p)
{
    int sig;
    while ((sig = signals_take(p->signal_fd)) != 0) {
        if (sig == SIGCHLD) {
            reap_children(p);
        } else {
            p->killed = true;
            life_begin_end(p, "a signal");
        }
    }
}

static size_t fill_polls(struct pool *p, struct pollfd **polls, size_t *cap)
{
    size_t n = 0;
    *polls = xgrow(*polls, cap, 2, sizeof **polls);
    (*polls)[n++] = (struct pollfd){.fd = p->signal_fd, .events = POLLIN};
    (*polls)[n++] = (struct pollfd){.fd = p->listener, .events = POLLIN};
    for (struct peer *peer = p->peers; peer; peer = peer->next) {
        *polls = xgrow(*polls, cap, n + 1, sizeof **polls);
        (*polls)[n++] = (struct pollfd){
            .fd = peer->conn.fd,
            .events = (short)(POLLIN | (conn_wants_write(&peer->conn) ? POLLOUT : 0)),
        };
    }
    return n;
}

static void round_of_events(struct pool *p, struct pollfd **polls, size_t *cap)
{
    size_t n = fill_polls(p, polls, cap), i = 2;
    struct peer *peer = p->peers;
    poll(*polls, n, clock_poll_ms(life_next_deadline(p)));
    p->now_ns = p->sched.now_ns = clock_mono_ns();
    if ((*polls)[0].revents)
        take_signals(p);
    for (; peer && i < n; i++) { /* what is added meanwhile goes to the front of the list */
        struct peer *next = peer->next;
        if ((*polls)[i].revents)
            read_peer(p, peer);
        peer = next;
    }
    if ((*polls)[1].revents)
        accept_all(p);
    reap_peers(p);
    life_step(p);
    for (peer = p->peers; peer; peer = peer->next)
        conn_flush(&peer->conn);
    reap_peers(p);
}

static bool redirect(struct pool *p, struct err *err)
{
    int fd = open(p->log.p, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(err, "%s: cannot be written", p->log.p);
    if (!io_write_all(STDOUT_FILENO, "\n", 1)) /* whoever started us waits for this */
        pool_log(p, "nobody waits for this pool");
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    return true;
}

static bool start(struct pool *p, const char *state_dir, struct err *err)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
    if (!plan_load(&p->plan, state_dir, err))
        return false;
    buf_str(&p->state_dir, p->plan.state_dir);
    buf_printf(&p->log, "%s/pool.log", p->state_dir.p);
    p->env_hash = environ_hash();
    p->cpus = cpu_count();
    p->sched.ops = &run_ops;
    p->sched.ctx = p;
    run_reset(p);
    p->lock_fd = lock_pool(buf_view(&p->state_dir), err);
    if (p->lock_fd < 0 || !sock_path(buf_view(&p->state_dir), &p->sock, err))
        return false;
    p->listener = sock_listen(p->sock.p, err);
    if (p->listener < 0)
        return false;
    if (!running_open(&p->running, buf_view(&p->state_dir), err))
        return false;
    p->signal_fd = signals_open(signals, sizeof signals / sizeof *signals);
    if (p->signal_fd < 0)
        return err_errno(err, "cannot make a pipe");
    if (chdir("/") != 0)
        return err_errno(err, "/: cannot be entered");
    return redirect(p, err);
}

static void release(struct pool *p)
{
    while (p->peers) {
        p->peers->dead = true;
        reap_peers(p);
    }
    sched_release(&p->sched);
    running_release(&p->running);
    zygote_discard(p);
    session_reset(p);
    plan_release(&p->plan);
    free(p->asked);
    buf_release(&p->error);
    buf_release(&p->imports);
    buf_release(&p->notes);
    jobs_close(p);
    buf_release(&p->state_dir);
    buf_release(&p->sock);
    buf_release(&p->log);
}

/* The next word of stdin, up to NUL or the end. */
static bool read_word(struct buf *out)
{
    char c;
    while (io_read_full(STDIN_FILENO, &c, 1) == 1 && c != '\0')
        buf_char(out, c);
    return out->n > 0;
}

/* pool.h: an interpreter before there is a plan. Its stdout is not ours, for which somebody waits. */
static bool start_early(struct pool *p, struct buf *state_dir)
{
    struct buf python = {0};
    int answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    signal(SIGPIPE, SIG_IGN);
    bool ok = read_word(&python) && answer >= 0 && null >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0 &&
              zygote_start_early(p, python.p) && dup2(answer, STDOUT_FILENO) >= 0 && read_word(state_dir);
    if (!ok && p->zygote.pid)
        kill(-p->zygote.pid, SIGKILL);
    close(answer);
    close(null);
    buf_release(&python);
    return ok;
}

int pool_main(const char *state_dir, struct err *err)
{
    struct pool p = {.listener = -1, .lock_fd = -1, .signal_fd = -1, .zygote.early_fd = -1, .jobs = {.input = -1, .output = -1}};
    struct pollfd *polls = NULL;
    struct buf told = {0};
    size_t cap = 0;
    bool early = strcmp(state_dir, "/dev/stdin") == 0;
    if (early && !start_early(&p, &told)) {
        buf_release(&told);
        return EXIT_PASSED; /* nobody needs it */
    }
    bool ok = start(&p, early ? told.p : state_dir, err);
    buf_release(&told);
    if (ok) {
        p.now_ns = p.sched.now_ns = clock_mono_ns();
        reap_children(&p);
        jobs_open(&p);
        run_prepare(&p);
        while (p.life != LIFE_OVER)
            round_of_events(&p, &polls, &cap);
        loss_kill_groups(&p);
        pool_log(&p, "ended");
    }
    free(polls);
    release(&p);
    return ok ? EXIT_PASSED : EXIT_INTERNAL;
}
