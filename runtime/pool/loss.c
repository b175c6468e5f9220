/* The end of workers: in good order, by a crash, by us. See PROTOCOL.md, "Losing a worker". */
#include "runtime/pool/state.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS INT64_C(1000000)
enum {
    STATUS_WAIT_MS = 1000, /* the exit status may come after the end of file */
    EOF_WAIT_MS = 300,     /* and the other way round; a grandchild may keep the socket open */
    TERM_GRACE_MS = 2000,
    MAX_BAD_STARTS = 3,
    MAX_BLANK_LOSSES = 3,
    MAX_LOST = 20 /* workers of one module in a row */
};

static const struct {
    int sig;
    const char *name;
} signal_names[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGKILL, "SIGKILL"}, {SIGTERM, "SIGTERM"},
    {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},   {SIGINT, "SIGINT"},
    {SIGALRM, "SIGALRM"}, {SIGHUP, "SIGHUP"},   {SIGPIPE, "SIGPIPE"}, {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"}, {SIGTRAP, "SIGTRAP"}, {SIGQUIT, "SIGQUIT"}, {SIGXCPU, "SIGXCPU"},
};

static void add_signal(struct buf *out, int sig)
{
    for (size_t i = 0; i < sizeof signal_names / sizeof *signal_names; i++)
        if (signal_names[i].sig == sig) {
            buf_printf(out, "was killed by signal %s (%d)", signal_names[i].name, sig);
            return;
        }
    buf_printf(out, "was killed by signal %d", sig);
}

void describe_status(struct buf *out, uint32_t status)
{
    int st = (int)status;
    if (WIFSIGNALED(st))
        add_signal(out, WTERMSIG(st));
    else if (WIFEXITED(st))
        buf_printf(out, "exited with status %d", WEXITSTATUS(st));
    else
        buf_z(out, "ended");
}

static void add_reason(struct pool *p, struct buf *text, const struct worker *w)
{
    int st = (int)w->status;
    if (w->doom_ms) {
        limits_reason(p, w, text);
        return;
    }
    if (w->gone) {
        buf_z(text, "the worker finished without running this test");
        return;
    }
    buf_z(text, w->has_status && WIFSIGNALED(st) ? "worker crashed: it " : "worker lost: it ");
    if (w->has_status)
        describe_status(text, w->status);
    else
        buf_z(text, "ended with an unknown status");
    buf_z(text, " while running this test");
    if (w->has_status && WIFEXITED(st))
        buf_z(text, " (os._exit?)");
}

/* The result of the item that took its worker down. */
static void loss_json(struct pool *p, struct worker *w, struct buf *out)
{
    struct queued *q = sched_running(w);
    struct buf text = {0};
    struct str path = {0};
    if (q && q->task && q->task->module < p->plan.n_modules)
        path = p->plan.modules[q->task->module].path;
    add_reason(p, &text, w);
    int64_t now_ms = clock_wall_ns() / MS;
    buf_printf(out,
               "{\"phases\": [{\"when\": \"call\", \"o\": \"failed\", \"d\": %.3f, \"t\": %" PRId64
               ".%03d, \"repr\": ", w->seen_ns ? (double)(p->now_ns - w->seen_ns) / 1e9 : 0.0, now_ms / 1000, (int)(now_ms % 1000));
    json_quote(out, buf_view(&text));
    buf_z(out, ", \"crash\": {\"path\": ");
    json_quote(out, path);
    buf_z(out, ", \"line\": 0, \"message\": ");
    json_quote(out, str_slice(buf_view(&text), 0, str_chr(buf_view(&text), '\n')));
    buf_printf(out, "}}], \"counts\": {\"failed\": 1}%s}", w->doom_batch ? ", \"final\": true" : "");
    buf_release(&text);
}

bool loss_sync(struct pool *p, struct worker *w)
{
    uint32_t number;
    if (w->doom_ms)
        return true; /* what is to fail is the first */
    bool runs = running_item(&p->running, w->id, &number);
    if (runs)
        sched_runs(w, number);
    return runs;
}

/* Whether an item has taken the worker down: one must be found at last, or the run would not end. */
static bool took_it_down(struct pool *p, struct worker *w)
{
    bool runs = loss_sync(p, w);
    if (!sched_running(w) || (w->gone && w->done > 0))
        return false;
    if (!runs && !w->gone && p->blank_losses < MAX_BLANK_LOSSES) {
        p->blank_losses++;
        return false;
    }
    p->blank_losses = 0;
    return true;
}

/* ---- what a worker leaves behind that did not end in good order ---- */

static void kill_groups(struct pool *p, bool now)
{
    for (size_t i = 0; i < p->n_groups;) {
        struct leftover *g = &p->groups[i];
        if (!now && p->now_ns < g->kill_ns) {
            i++;
            continue;
        }
        kill(-g->pgid, SIGKILL);
        *g = p->groups[--p->n_groups];
    }
}

/* Its process group gets TERM now, if it has not had it, and KILL after the grace time. */
static void end_group(struct pool *p, const struct worker *w)
{
    if (w->gone || w->pid <= 1 || kill(-w->pid, w->terminated ? 0 : SIGTERM) != 0)
        return;
    if (p->n_groups == sizeof p->groups / sizeof *p->groups)
        kill_groups(p, true);
    p->groups[p->n_groups++] = (struct leftover){w->pid, p->now_ns + TERM_GRACE_MS * MS};
}

void loss_kill_groups(struct pool *p)
{
    kill_groups(p, true);
}

/* Each test of a module takes its process down: the rest is not tried. The running item stays the worker's. */
static void give_up(struct pool *p, struct worker *w)
{
    struct queued *q = sched_running(w);
    if (!q || !q->task || ++q->task->lost < MAX_LOST)
        return;
    pool_log(p, "given up: module %u", q->task->module);
    sched_fail_rest(&p->sched, q->task,
                    STR("{\"phases\": [{\"when\": \"call\", \"o\": \"failed\", \"d\": 0, \"t\": 0, \"repr\": \"not run: 20 "
                        "processes in a row were lost in tests of this module\", \"crash\": {\"path\": \"\", \"line\": 0, "
                        "\"message\": \"not run: 20 processes in a row were lost in tests of this module\"}}]}"));
}

static void finish_worker(struct pool *p, struct worker *w)
{
    struct buf json = {0};
    bool fails = took_it_down(p, w);
    if (w->state == WORKER_STARTING && !w->terminated && p->life == LIFE_RUNS &&
        ++p->bad_starts >= MAX_BAD_STARTS)
        pool_fail(p, EXIT_INTERNAL, "workers end before they connect");
    if (fails) {
        struct buf what = {0};
        add_reason(p, &what, w);
        pool_log(p, "worker %u: %s", w->id, what.p);
        buf_release(&what);
        loss_json(p, w, &json);
        give_up(p, w);
    }
    end_group(p, w);
    if (w->replica && !w->has_status && w->pid > 1)
        kill(-w->pid, SIGKILL);
    struct peer *peer = w->peer;
    if (peer) {
        peer->worker = NULL;
        peer->dead = peer->role == ROLE_WORKER;
    }
    if (p->plan.options.batch_timeout_ms || p->limits)
        limits_forget(p, w);
    sched_remove(&p->sched, w, buf_view(&json));
    buf_release(&json);
}

void loss_status(struct pool *p, struct worker *w, uint32_t status)
{
    w->has_status = true;
    w->status = status;
    if (w->state == WORKER_LOST)
        finish_worker(p, w);
    else
        w->deadline_ns = p->now_ns + EOF_WAIT_MS * MS;
}

/* An earlier session of the zygote, told of after the next one was asked for. */
static bool is_known_session(const struct pool *p, pid_t pid)
{
    for (size_t i = 0; i < sizeof p->known_sessions / sizeof(pid_t); i++)
        if (p->known_sessions[i] == pid)
            return true;
    return false;
}

bool loss_on_exited(struct pool *p, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    uint32_t id = unpack_u32(&u), status = unpack_u32(&u);
    if (u.bad)
        return false;
    struct worker *w = sched_find(&p->sched, id);
    if (w) {
        loss_status(p, w, status);
        return true;
    }
    for (w = id == 0 ? p->sched.workers : NULL; w; w = w->next)
        if (w->serves && !w->old) {
            loss_status(p, w, status);
            return true;
        }
    if (id == 0 && p->session.state == SESSION_ASKED && !p->session.peer &&
        !is_known_session(p, (pid_t)f->tag)) {
        struct buf b = {0};
        describe_status(&b, status);
        pool_fail(p, EXIT_INTERNAL, "pytest's session %s before the tests were collected", b.p);
        buf_release(&b);
    }
    return true;
}

void loss_worker_closed(struct pool *p, struct worker *w)
{
    w->peer = NULL;
    if (w->gone || w->has_status || !sched_running(w)) {
        finish_worker(p, w);
        return;
    }
    w->state = WORKER_LOST;
    w->deadline_ns = p->now_ns + STATUS_WAIT_MS * MS;
}

static void kill_worker(struct worker *w, int sig)
{
    if (w->pid <= 1 || w->has_status)
        return;
    if (getpgid(w->pid) == w->pid) /* what the test started goes with it */
        kill(-w->pid, sig);
    else
        kill(w->pid, sig);
}

void loss_terminate(struct pool *p, struct worker *w)
{
    if (w->terminated)
        return;
    w->terminated = true;
    w->deadline_ns = p->now_ns + TERM_GRACE_MS * MS;
    kill_worker(w, SIGTERM);
}

static void deadline_passed(struct pool *p, struct worker *w)
{
    struct peer *peer = w->peer;
    if (w->state == WORKER_LOST || w->has_status || w->state == WORKER_STARTING) {
        finish_worker(p, w);
    } else if (!w->terminated) {
        loss_terminate(p, w); /* its time to end in good order is over */
    } else {
        kill_worker(w, SIGKILL);
        if (peer)
            peer->dead = true;
        w->peer = NULL;
        w->state = WORKER_LOST;
        w->deadline_ns = p->now_ns + STATUS_WAIT_MS * MS;
    }
}

int64_t loss_next(const struct pool *p)
{
    int64_t at = 0;
    for (size_t i = 0; i < p->n_groups; i++)
        if (at == 0 || p->groups[i].kill_ns < at)
            at = p->groups[i].kill_ns;
    return at;
}

void loss_deadlines(struct pool *p)
{
    kill_groups(p, false);
    for (struct worker *w = p->sched.workers, *next; w; w = next) {
        next = w->next;
        if (w->deadline_ns && w->deadline_ns <= p->now_ns)
            deadline_passed(p, w);
    }
}
