/* What takes too long: tests and batches over their limit are ended, slow tests are told of.
 *
 * A worker that is over a limit is doomed: it gets the signal on which faulthandler writes the stacks of all threads,
 * and a moment later its process group is ended (loss.c: TERM, a grace time, KILL). Its running item fails. */
#include "runtime/pool/state.h"

#include "runtime/wire/msg.h"

#include <inttypes.h>
#include <signal.h>
#include <unistd.h>

#define MS INT64_C(1000000)
enum {
    STACKS_MS = 200,        /* for writing the stacks */
    MAX_STACKS = 64 * 1024, /* bytes of them that are shown */
    SIGHT_MS = 50,          /* with limits: how often to look what runs */
    MEMORY_MS = 100,        /* how often to look at a worker's memory, when that is limited */
    LOOK_MS = 1000,         /* how often to look whether a process is stopped */
    STOPPED_MS = 5000,      /* for so long: it is ended */
    MAX_NOTICES = 8         /* of one test, each after twice the time */
};

static int64_t item_limit_ns(const struct worker *w, const struct queued *q)
{
    uint32_t ms = q->task->limits ? q->task->limits[q->item] : 0;
    return ms ? w->seen_ns + ms * MS : 0;
}

static int64_t batch_limit_ns(const struct pool *p, const struct batch *b)
{
    uint32_t ms = p->plan.options.batch_timeout_ms;
    return ms && b->begun_ns ? b->begun_ns + ms * MS : 0;
}

static int64_t notice_ns(const struct pool *p, const struct worker *w)
{
    uint32_t ms = p->plan.options.slow_ms;
    return ms && w->notices < MAX_NOTICES ? w->seen_ns + ((int64_t)ms << w->notices) * MS : 0;
}

/* The item that the worker runs for somebody, unless it is being ended. */
static const struct queued *running(struct worker *w)
{
    struct queued *q = sched_running(w);
    bool runs = q && q->task && !w->doom_ms && !w->terminated && w->peer && w->state != WORKER_LOST;
    return runs ? q : NULL;
}

/* Results travel together (running.h): what runs now, and since when, is seen by looking. */
static void look(struct pool *p, struct worker *w)
{
    loss_sync(p, w);
    struct queued *q = sched_running(w);
    uint32_t seen = q ? q->number + 1 : 0;
    if (seen == w->seen)
        return;
    w->seen = seen;
    w->seen_ns = p->now_ns;
    w->stopped_ns = w->look_ns = 0;
    w->notices = 0;
}

static void doom(struct pool *p, struct worker *w, uint32_t ms, bool batch)
{
    sched_doom(&p->sched, w, ms);
    w->doom_batch = batch;
    if (w->pid > 1)
        kill(w->pid, stack_signal());
    w->deadline_ns = p->now_ns + STACKS_MS * MS;
}

static void check_item(struct pool *p, struct worker *w, const struct queued *q)
{
    int64_t own = item_limit_ns(w, q);
    if (own && p->now_ns >= own)
        doom(p, w, q->task->limits[q->item], false);
    else if (w->limit_ns && p->now_ns >= w->limit_ns)
        doom(p, w, w->limit_ms, false);
}

/* ---- stopped processes ---- */

/* A process that is stopped for so long is not continued by anybody: the test has stopped itself. */
static void check_stopped(struct pool *p, struct worker *w)
{
    if (!w->look_ns)
        w->look_ns = w->seen_ns + LOOK_MS * MS;
    if (p->now_ns < w->look_ns)
        return;
    w->look_ns = p->now_ns + LOOK_MS * MS;
    if (!cpu_is_stopped(w->pid)) {
        w->stopped_ns = 0;
    } else if (!w->stopped_ns) {
        w->stopped_ns = p->now_ns;
    } else if (p->now_ns - w->stopped_ns >= STOPPED_MS * MS) {
        w->doom_stopped = true;
        doom(p, w, STOPPED_MS, false);
    }
}

/* ---- memory ---- */

static void check_memory(struct pool *p, struct worker *w)
{
    uint64_t most = p->plan.options.worker_memory;
    if (!most || w->full || w->state != WORKER_READY || p->now_ns < w->memory_ns)
        return;
    w->memory_ns = p->now_ns + MEMORY_MS * MS;
    if (cpu_resident_bytes(w->pid, &w->resident) && w->resident > most) {
        pool_log(p, "worker %u has %.1f MB: it is replaced", w->id, (double)w->resident / 1048576);
        sched_recycle(&p->sched, w);
    }
}

/* ---- batches ---- */

static void fail_rest(struct pool *p, struct batch *b)
{
    struct buf json = {0};
    buf_printf(&json,
               "{\"phases\": [{\"when\": \"call\", \"o\": \"failed\", \"d\": 0, \"t\": 0, \"repr\": \"not run: its batch "
               "took longer than %.1f s (batch-timeout)\"}], \"final\": true}", p->plan.options.batch_timeout_ms / 1e3);
    for (struct task *t = p->sched.tasks, *next; t; t = next) {
        next = t->next;
        if (t->owner == b)
            sched_fail_rest(&p->sched, t, buf_view(&json));
    }
    buf_release(&json);
}

static void check_batch(struct pool *p, struct batch *b)
{
    int64_t limit = batch_limit_ns(p, b);
    if (b->late || b->ended || !limit || p->now_ns < limit)
        return;
    b->late = true;
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        const struct queued *q = running(w);
        if (q && q->task->owner == b)
            doom(p, w, p->plan.options.batch_timeout_ms, true);
    }
    fail_rest(p, b);
}

/* ---- slow tests ---- */

static void notice(struct pool *p, struct worker *w, const struct queued *q)
{
    struct buf b = {0};
    buf_z(&b, "test ");
    session_item_id(p, q->task, q->item, &b);
    buf_printf(&b, " has been running for %.1f s (process %ld)", (double)(p->now_ns - w->seen_ns) / 1e9, (long)w->pid);
    pool_log(p, "%s", b.p);
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->watches)
            peer_send(peer, WIRE_NOTICE, 0, buf_view(&b));
    w->notices++;
    buf_release(&b);
}

/* ---- the clock ---- */

static void begin_batch(struct worker *w, const struct queued *q)
{
    struct batch *b = q->task->owner;
    if (!b->begun_ns)
        b->begun_ns = w->seen_ns;
}

void limits_check(struct pool *p)
{
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        look(p, w);
        const struct queued *q = running(w);
        if (!q)
            continue;
        begin_batch(w, q);
        check_memory(p, w);
        int64_t at = notice_ns(p, w);
        if (at && p->now_ns >= at)
            notice(p, w, q);
        check_item(p, w, q);
        if (!w->doom_ms)
            check_stopped(p, w);
    }
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->batch && !peer->dead)
            check_batch(p, peer->batch);
}

static void earlier(int64_t *at, int64_t deadline)
{
    if (deadline && (*at == 0 || deadline < *at))
        *at = deadline;
}

int64_t limits_next(const struct pool *p)
{
    int64_t at = 0;
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        const struct queued *q = running(w);
        if (!q)
            continue;
        earlier(&at, item_limit_ns(w, q));
        earlier(&at, w->limit_ns);
        earlier(&at, batch_limit_ns(p, q->task->owner));
        earlier(&at, notice_ns(p, w));
        earlier(&at, w->look_ns);
        if (p->plan.options.worker_memory && !w->full)
            earlier(&at, w->memory_ns);
        if (p->limits || p->plan.options.batch_timeout_ms)
            earlier(&at, p->now_ns + SIGHT_MS * MS);
    }
    return at;
}

bool limits_on_limit(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct worker *w = peer->worker;
    if (w) {
        w->limit_ms = f->tag;
        w->limit_ns = f->tag ? p->now_ns + f->tag * MS : 0;
    }
    return true;
}

/* ---- telling ---- */

static void stacks_path(const struct pool *p, const struct worker *w, struct buf *out)
{
    buf_str(out, buf_view(&p->state_dir));
    buf_printf(out, "/stacks/%" PRIu32, w->id);
}

/* faulthandler's text without the frames below the test's, which are pytest's and ours. */
static void add_stacks(struct buf *out, struct str text)
{
    struct str line;
    bool inside = false;
    while (str_next(&text, '\n', &line)) {
        bool frame = str_starts(line, STR("  "));
        inside = frame && (inside || str_contains(line, STR("/_pytest/")) || str_contains(line, STR("\"<fastest>")));
        if (inside)
            continue;
        buf_char(out, '\n');
        buf_str(out, line);
    }
}

void limits_reason(struct pool *p, const struct worker *w, struct buf *out)
{
    struct buf path = {0}, text = {0};
    if (w->doom_stopped) {
        buf_z(out, "worker lost: its process was stopped (SIGSTOP?) while running this test");
        return;
    }
    buf_printf(out, "Timeout (>%.1fs%s): the process that ran this test was ended", w->doom_ms / 1e3,
               w->doom_batch ? " for its batch" : "");
    stacks_path(p, w, &path);
    if (io_stat_path(path.p).kind == IO_FILE && io_read(path.p, 0, &text, NULL) && text.n) {
        buf_char(out, '\n');
        add_stacks(out, str_trim(str_slice(buf_view(&text), 0, MAX_STACKS)));
    }
    buf_release(&path);
    buf_release(&text);
}

void limits_forget(struct pool *p, const struct worker *w)
{
    struct buf path = {0};
    stacks_path(p, w, &path);
    unlink(path.p);
    buf_release(&path);
}
