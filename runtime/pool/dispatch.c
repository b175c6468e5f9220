/* The states of the protocol as a table: which frames a peer may send. */
#include "runtime/pool/state.h"

#include "runtime/base/pack.h"
#include "runtime/wire/msg.h"

#include <string.h>

enum { N_OUTCOMES = 6 }; /* enum record_outcome */

static bool hello_session(struct pool *p, struct peer *peer)
{
    struct session *s = &p->session;
    if (s->state != SESSION_ASKED || s->peer)
        return false;
    s->peer = peer;
    return true;
}

static bool hello_worker(struct pool *p, struct peer *peer, uint32_t id, uint32_t pid)
{
    struct worker *w = sched_find(&p->sched, id);
    if (!w || w->state != WORKER_STARTING)
        return false;
    w->peer = peer;
    w->pid = peer->pid ? peer->pid : (pid_t)pid;
    w->deadline_ns = 0;
    peer->worker = w;
    p->bad_starts = 0;
    sched_ready(&p->sched, w);
    return true;
}

static bool on_hello(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    uint32_t version = unpack_u32(&u), pid = unpack_u32(&u), id = unpack_u32(&u);
    struct str token = unpack_str(&u);
    if (u.bad || version != WIRE_VERSION || peer->role != ROLE_NONE)
        return false;
    bool ours = p->zygote.token[0] && str_eq(token, str_z(p->zygote.token));
    peer->role = f->tag;
    peer->conn.in.max_payload = 0;
    if (f->tag == ROLE_SESSION) {
        unsigned at = p->n_known_sessions++ % (sizeof p->known_sessions / sizeof(pid_t));
        p->known_sessions[at] = (pid_t)pid;
        return ours && hello_session(p, peer);
    }
    if (f->tag == ROLE_WORKER)
        return ours && hello_worker(p, peer, id, pid);
    return f->tag == ROLE_CLIENT;
}

static bool on_error(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)peer;
    pool_error(p, f->tag, f->payload);
    return true;
}

static bool on_stop(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)p;
    (void)f;
    peer->stop = true;
    return true;
}

static bool on_status(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct buf b = {0};
    (void)f;
    run_status(p, &b);
    peer_send(peer, WIRE_STATUS, 0, buf_view(&b));
    buf_release(&b);
    return true;
}

static bool on_ready(struct pool *p, struct peer *peer, const struct frame *f)
{
    return p->zygote.peer != peer || zygote_on_ready(p, f);
}

static bool on_exited(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)peer;
    return loss_on_exited(p, f);
}

static bool on_module(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)peer;
    return session_on_module(p, f);
}

static bool on_collected(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)peer;
    return session_on_collected(p, f);
}

static bool on_result(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    unpack_u32(&u);
    uint8_t outcome = unpack_u8(&u);
    struct str json = unpack_str(&u);
    if (u.bad || u.n || outcome >= N_OUTCOMES)
        return false;
    if (peer->worker && peer->worker->doom_ms && peer->worker->queued && peer->worker->queue[0].number == f->tag)
        return true; /* it came too late */
    return !peer->worker || sched_result(&p->sched, peer->worker, f->tag, outcome, json);
}

static bool on_attempt(struct pool *p, struct peer *peer, const struct frame *f)
{
    return !peer->worker || peer->worker->doom_ms || sched_attempt(&p->sched, peer->worker, f->tag, f->payload);
}

static bool on_need(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)f;
    if (peer->worker && p->life == LIFE_RUNS)
        sched_need(&p->sched, peer->worker);
    return true;
}

static bool on_idle(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)f;
    if (peer->worker && p->life == LIFE_RUNS)
        sched_idle(&p->sched, peer->worker);
    return true;
}

static bool on_gone(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct worker *w = peer->worker;
    if (w) {
        run_on_broken(p, f->payload);
        load_take(p, f->payload);
        w->gone = true;
        pool_log(p, "worker %u has finished after %u items: %.*s", w->id, w->done,
                 (int)(f->payload.n < 2000 ? f->payload.n : 2000), f->payload.p);
    }
    return true;
}

static bool on_keep(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)p;
    (void)f;
    if (peer->worker)
        peer->worker->kept = true;
    return true;
}

static bool on_spent(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)p;
    (void)f;
    if (peer->worker)
        peer->worker->spent = true;
    return true;
}

static bool on_replica_ready(struct pool *p, struct peer *peer, const struct frame *f)
{
    (void)f;
    return replica_on_ready(p, peer);
}

typedef bool handler(struct pool *p, struct peer *peer, const struct frame *f);
static const struct {
    uint32_t role;
    uint16_t type;
    handler *handle;
} permitted[] = {
    {ROLE_NONE, WIRE_HELLO, on_hello},
    {ROLE_CLIENT, WIRE_BATCH, run_on_batch},
    {ROLE_CLIENT, WIRE_ALONE, run_on_alone},
    {ROLE_CLIENT, WIRE_PLAN, run_on_plan},
    {ROLE_CLIENT, WIRE_WATCH, watch_on_request},
    {ROLE_CLIENT, WIRE_STOP, on_stop},
    {ROLE_CLIENT, WIRE_STATUS, on_status},
    {ROLE_ZYGOTE, WIRE_READY, on_ready},
    {ROLE_REPLICA, WIRE_READY, on_replica_ready},
    {ROLE_REPLICA, WIRE_ERROR, on_error},
    {ROLE_ZYGOTE, WIRE_EXITED, on_exited},
    {ROLE_ZYGOTE, WIRE_ERROR, on_error},
    {ROLE_SESSION, WIRE_MODULE, on_module},
    {ROLE_SESSION, WIRE_COLLECTED, on_collected},
    {ROLE_SESSION, WIRE_EXITED, on_exited},
    {ROLE_SESSION, WIRE_ERROR, on_error},
    {ROLE_WORKER, WIRE_RESULT, on_result},
    {ROLE_WORKER, WIRE_ATTEMPT, on_attempt},
    {ROLE_WORKER, WIRE_NEED, on_need},
    {ROLE_WORKER, WIRE_IDLE, on_idle},
    {ROLE_WORKER, WIRE_GONE, on_gone},
    {ROLE_WORKER, WIRE_KEEP, on_keep},
    {ROLE_WORKER, WIRE_SPENT, on_spent},
    {ROLE_WORKER, WIRE_LIMIT, limits_on_limit},
    {ROLE_WORKER, WIRE_ERROR, on_error},
};

bool dispatch_frame(struct pool *p, struct peer *peer, const struct frame *f)
{
    for (size_t i = 0; i < sizeof permitted / sizeof *permitted; i++)
        if (permitted[i].role == peer->role && permitted[i].type == f->type)
            return permitted[i].handle(p, peer, f);
    return false;
}

void dispatch_closed(struct pool *p, struct peer *peer)
{
    if (peer->role == ROLE_CLIENT)
        run_client_gone(p, peer);
    else if (peer->role == ROLE_SESSION)
        session_closed(p, peer);
    else if (peer->role == ROLE_ZYGOTE && p->zygote.peer == peer)
        p->zygote.peer = NULL; /* its end is told by waitpid */
    if (peer->worker)
        loss_worker_closed(p, peer->worker);
    peer->worker = NULL;
}
