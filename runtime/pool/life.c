/* Timers: one more worker when the CPUs are idle, fail-fast, idle pools, the end. */
#include "runtime/pool/state.h"

#include "runtime/wire/msg.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define SAMPLE_NS (SECOND / 5)
#define LONELY_NS (10 * SECOND)            /* without a client, for the pool of one run */
#define WORKER_END_NS (10 * SECOND)        /* for the teardown of session fixtures */
#define SESSION_END_NS (5 * SECOND)
#define KILL_NS SECOND
enum { BUSY_PERCENT = 70 };

/* ---- while tests run ---- */

static bool any_running(const struct pool *p)
{
    for (const struct worker *w = p->sched.workers; w; w = w->next)
        if (w->queued)
            return true;
    return false;
}

/* Share of the CPUs that the workers have used since the last sample, in percent; 100 when it
 * cannot be known, or when something else keeps the machine busy. */
static int cpu_percent(struct pool *p, int64_t elapsed_ns)
{
    uint64_t used = 0, idle = 0;
    uint32_t machine = 1;
    bool known = cpu_idle_ticks(&idle, &machine);
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        uint64_t ticks = 0;
        if (w->pid <= 0 || !cpu_ticks_of(w->pid, &ticks))
            continue;
        used += ticks > w->ticks ? ticks - w->ticks : 0;
        w->ticks = ticks;
    }
    double per_cpu = (double)elapsed_ns / (double)SECOND * (double)cpu_ticks_per_second();
    int ours = (int)(100.0 * (double)used / (per_cpu * p->cpus));
    int others = (int)(100.0 - 100.0 * (double)(idle - p->idle_ticks) / (per_cpu * machine));
    known = known && p->idle_ticks && idle >= p->idle_ticks;
    p->idle_ticks = idle;
    return !known ? 100 : ours > others ? ours : others;
}

static void sample(struct pool *p)
{
    if (!any_running(p)) {
        p->sample_ns = 0;
        p->idle_ticks = 0;
        return;
    }
    if (p->sample_ns && p->now_ns < p->sample_ns)
        return;
    int64_t elapsed = p->sample_ns ? p->now_ns - (p->sample_ns - SAMPLE_NS) : 0;
    p->sample_ns = p->now_ns + SAMPLE_NS;
    if (p->plan.options.workers || p->plan.options.optimizer == OPTIMIZER_STANDARD || p->sched.whole)
        return;
    int percent = elapsed ? cpu_percent(p, elapsed) : 100;
    if (elapsed == 0)
        cpu_idle_ticks(&p->idle_ticks, &(uint32_t){0});
    if (percent < BUSY_PERCENT && p->wanted < 2 * p->cpus && sched_all_busy(&p->sched) &&
        sched_live(&p->sched) >= p->sched.limit && p->sched.limit == p->wanted && sched_has_work(&p->sched))
        p->wanted++; /* they sleep or wait: sched_balance forks one more */
}

/* Beside a session that cannot be forked another interpreter is started when what one costs has been spent on tests,
 * and there is still work: never more than twice the time that would have been best. */
static void grow_single(struct pool *p)
{
    uint32_t most = p->plan.options.workers ? p->plan.options.workers : p->cpus;
    bool may = p->sched.whole && !p->sched.alone && p->plan.options.optimizer != OPTIMIZER_STANDARD;
    p->grow_ns = 0;
    if (!may || p->wanted >= most || !sched_all_busy(&p->sched) || !sched_has_work(&p->sched))
        return;
    p->grow_ns = p->session.collected_ns + p->session.cost_ns * p->wanted;
    if (p->now_ns >= p->grow_ns)
        p->wanted++;
}

static void fail_fast(struct pool *p)
{
    uint32_t max = p->plan.options.maxfail;
    if (p->stopped || p->sched.alone || max == 0 || p->failures < max)
        return;
    p->stopped = true;
    plan_mark(&p->plan, "stop", (struct str){0});
    sched_stop(&p->sched);
    p->sched.all_asked = true;
}

/* ---- the end ---- */

static uint32_t count_clients(const struct pool *p, bool *stop)
{
    uint32_t n = 0;
    *stop = false;
    for (const struct peer *peer = p->peers; peer; peer = peer->next) {
        if ((peer->role != ROLE_CLIENT && peer->role != ROLE_NONE) || peer->watches)
            continue;
        if (peer->stop)
            *stop = true;
        else
            n++;
    }
    return n;
}

static void check_idle(struct pool *p)
{
    bool stop;
    int64_t limit = p->plan.options.persistent ? (int64_t)p->plan.options.idle_ms * (SECOND / 1000) : LONELY_NS;
    uint32_t clients = count_clients(p, &stop);
    if (clients) {
        p->idle_ns = 0;
    } else if (stop) {
        life_begin_end(p, "asked to");
    } else if (p->idle_ns == 0) {
        p->idle_ns = p->now_ns + limit;
    } else if (p->now_ns >= p->idle_ns) {
        life_begin_end(p, "nobody is connected");
    }
}

/* Our side of its connection ends: it finishes and closes its side. */
static void half_close(struct peer *peer)
{
    if (!peer)
        return;
    conn_flush(&peer->conn);
    if (peer->conn.fd >= 0)
        shutdown(peer->conn.fd, SHUT_WR);
}

/* A run whose modules are all done lets its session go before the summary asks for it. */
static void finish_early(struct pool *p)
{
    bool awaited = p->deferred || p->sched.alone || (p->plan.options.confirms && p->failures);
    if (p->plan.options.persistent || awaited || !p->sched.all_asked || p->sched.tasks || p->sched.workers ||
        p->session.state != SESSION_COLLECTED || p->session.serving)
        return;
    half_close(p->session.peer);
    half_close(p->zygote.peer);
    p->session.state = SESSION_LOST;
}

void life_begin_end(struct pool *p, const char *why)
{
    if (p->life != LIFE_RUNS)
        return;
    pool_log(p, "ending: %s", why);
    load_save(p);
    p->life = LIFE_WORKERS_END;
    close(p->listener);
    p->listener = -1;
    unlink(p->sock.p);
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->role == ROLE_CLIENT && !peer->stop) {
            run_client_gone(p, peer);
            peer->dead = true;
        }
    sched_retire(&p->sched);
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        if (w->state == WORKER_READY) {
            w->state = WORKER_ENDED;
            peer_send(w->peer, WIRE_END, 0, (struct str){0});
        }
        if (p->killed)
            loss_terminate(p, w);
        else if (!w->terminated && w->state != WORKER_LOST)
            w->deadline_ns = p->now_ns + (w->state == WORKER_STARTING ? SECOND : WORKER_END_NS);
    }
}

static void signal_session(struct pool *p, int sig)
{
    struct peer *s = p->session.peer;
    if (s && s->pid > 1)
        kill(s->pid, sig);
    if (p->zygote.pid > 1)
        kill(-p->zygote.pid, sig);
}

static void end_session(struct pool *p)
{
    bool gentle = p->session.state >= SESSION_COLLECTED && !p->killed;
    p->life = LIFE_SESSION_ENDS;
    half_close(p->session.peer);
    half_close(p->zygote.peer);
    if (!gentle)
        signal_session(p, SIGTERM);
    p->end_ns = p->now_ns + (gentle ? SESSION_END_NS : KILL_NS);
}

static void session_ending(struct pool *p)
{
    if (!p->session.peer && p->zygote.pid == 0) {
        p->life = LIFE_OVER;
    } else if (p->now_ns >= p->end_ns) {
        pool_log(p, "the session does not end: killing it");
        signal_session(p, SIGKILL);
        p->life = LIFE_OVER;
    }
}

void life_step(struct pool *p)
{
    loss_deadlines(p);
    if (p->life == LIFE_RUNS) {
        fail_fast(p);
        jobs_step(p);
        if (p->session.state == SESSION_COLLECTED || p->session.state == SESSION_LOST)
            sched_balance(&p->sched);
        limits_check(p);
        grow_single(p);
        sample(p);
        finish_early(p);
        check_idle(p);
    }
    if (p->life == LIFE_WORKERS_END && !p->sched.workers)
        end_session(p);
    if (p->life == LIFE_SESSION_ENDS)
        session_ending(p);
}

static void earlier(int64_t *at, int64_t deadline)
{
    if (deadline && (*at == 0 || deadline < *at))
        *at = deadline;
}

int64_t life_next_deadline(const struct pool *p)
{
    int64_t at = 0;
    for (const struct worker *w = p->sched.workers; w; w = w->next)
        earlier(&at, w->deadline_ns);
    if (p->life == LIFE_RUNS) {
        earlier(&at, p->sample_ns);
        earlier(&at, p->grow_ns);
        earlier(&at, p->jobs.retry_ns);
        earlier(&at, p->idle_ns);
        earlier(&at, limits_next(p));
    }
    earlier(&at, p->end_ns);
    earlier(&at, loss_next(p));
    return at;
}
