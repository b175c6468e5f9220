/* Clients and their batches; what the scheduler decides, as frames. */
#include "runtime/pool/state.h"

#include "generator/graph/record.h"
#include "runtime/base/arena.h"
#include "runtime/base/pack.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Long against a fork, short against what is run again when the last module of a slice has too much to its name. So
 * long for as many workers as processors: more of them share the processors' time for forks, too. */
static const int64_t SLICE_NS = INT64_C(300000000);

#define FORK_WAIT_NS (INT64_C(60) * 1000 * 1000 * 1000)

/* ---- the scheduler's world ---- */

static void op_run(void *ctx, struct worker *w, const uint32_t *numbers, uint32_t n)
{
    struct buf b = {0};
    (void)ctx;
    pack_u32(&b, n);
    for (uint32_t i = 0; i < n; i++)
        pack_u32(&b, numbers[i]);
    peer_send(w->peer, WIRE_RUN, 0, buf_view(&b));
    buf_release(&b);
}

static void op_hold(void *ctx, struct worker *w)
{
    (void)ctx;
    peer_send(w->peer, WIRE_HOLD, 0, (struct str){0});
}

static void op_end(void *ctx, struct worker *w)
{
    (void)ctx;
    peer_send(w->peer, WIRE_END, 0, (struct str){0});
}

static bool op_fork(void *ctx, struct worker *w)
{
    struct pool *p = ctx;
    struct session *s = &p->session;
    if (p->life != LIFE_RUNS || p->error.n)
        return false;
    for (const struct worker *v = p->sched.workers; s->state == SESSION_LOST && v; v = v->next)
        if (v->state == WORKER_LOST)
            return false; /* its exit status first: it may be the session's own */
    if (s->state == SESSION_LOST)
        session_restart(p); /* its workers come later */
    if (s->state != SESSION_COLLECTED)
        return false;
    w->deadline_ns = p->now_ns + FORK_WAIT_NS;
    running_clear(&p->running, w->id);
    if (p->sched.per_module || (!s->forks && s->serving))
        return replica_start(p, w);
    s->serving = w->serves = !s->forks;
    peer_send(s->peer, s->forks ? WIRE_FORK : WIRE_SERVE, w->id, buf_view(&p->imports));
    return true;
}

static struct peer *owner_of(struct pool *p, const void *owner)
{
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->batch == owner && !peer->dead)
            return peer;
    return NULL;
}

static void send_result(struct pool *p, struct peer *peer, const struct task *t, uint32_t item, uint8_t outcome, struct str json)
{
    struct buf b = {0};
    pack_u32(&b, item);
    pack_u8(&b, outcome);
    pack_str(&b, json);
    peer_send(peer, WIRE_RESULT, t->module, buf_view(&b));
    watch_result(p, t->module, buf_view(&b));
    buf_release(&b);
}

static void op_result(void *ctx, struct task *t, uint32_t item, uint8_t outcome, struct str json)
{
    struct pool *p = ctx;
    send_result(p, owner_of(p, t->owner), t, item, outcome, json);
    p->restarts = 0;
    if (outcome != OUT_FAILED && outcome != OUT_ERROR)
        p->broken = 0;
    p->failures += outcome == OUT_FAILED || outcome == OUT_ERROR;
}

/* The client keeps it beside the result that comes. */
static void op_attempt(void *ctx, struct task *t, uint32_t item, struct str json)
{
    struct pool *p = ctx;
    send_result(p, owner_of(p, t->owner), t, item, OUT_FAILED, json);
}

static void end_module(struct pool *p, struct peer *peer, uint32_t module, unsigned all)
{
    char flags = (char)all;
    watch_module_end(p, module, (struct str){&flags, 1});
    peer_send(peer, WIRE_MODULE_END, module, (struct str){&flags, 1});
}

static void end_batch_if_done(struct peer *peer)
{
    struct batch *b = peer->batch;
    if (!b->started || b->open || b->ended)
        return;
    b->ended = true;
    peer_send(peer, WIRE_BATCH_END, b->tag, (struct str){0});
}

static void op_task_done(void *ctx, struct task *t)
{
    struct pool *p = ctx;
    struct peer *peer = owner_of(p, t->owner);
    if (!peer)
        return;
    end_module(p, peer, t->module, (t->partial ? MODULE_END_PARTIAL : 0u) | (t->split ? MODULE_END_SPLIT : 0u) |
                                    (t->deferred ? MODULE_END_DEFERRED : 0u));
    peer->batch->open--;
    end_batch_if_done(peer);
}

const struct sched_ops run_ops = {
    .run = op_run,
    .hold = op_hold,
    .end = op_end,
    .fork = op_fork,
    .result = op_result,
    .attempt = op_attempt,
    .task_done = op_task_done,
    .until = load_until,
};

/* ---- batches ---- */

static void send_empty_module(struct pool *p, struct peer *peer, uint32_t module)
{
    struct buf b = {0}, json = {0};
    struct str path = STR("@other"), rel = path;
    if (module < p->plan.n_modules) {
        path = p->plan.modules[module].path;
        rel = p->plan.modules[module].rel;
    }
    buf_z(&json, "{\"path\": ");
    json_quote(&json, path);
    buf_z(&json, ", \"rel\": ");
    json_quote(&json, rel);
    buf_z(&json, ", \"items\": [], \"error\": null, \"skip\": null, \"deps\": {}}");
    pack_str(&b, path);
    for (int column = 0; column < 3; column++) /* groups, limits, lanes */
        pack_u32(&b, 0);
    pack_str(&b, buf_view(&json));
    peer_send(peer, WIRE_MODULE, module, buf_view(&b));
    buf_release(&json);
    buf_release(&b);
}

static struct str module_path(const struct pool *p, uint32_t module)
{
    return module < p->plan.n_modules ? p->plan.modules[module].path : STR("@other");
}

static void start_module(struct pool *p, struct peer *peer, uint32_t module)
{
    bool other = module == p->plan.n_modules;
    struct collected *c = session_find(p, module_path(p, module));
    if (!c) {
        send_empty_module(p, peer, module);
        /* a module that was left out as clean has not been looked at */
        end_module(p, peer, module, p->stopped || (!other && !p->plan.modules[module].stale) ? MODULE_END_PARTIAL : 0);
        return;
    }
    peer_send(peer, WIRE_MODULE, module, c->payload);
    watch_module(p, module, c);
    if (c->n == 0 || p->stopped) {
        end_module(p, peer, module, c->n > 0 ? MODULE_END_PARTIAL : 0);
        return;
    }
    peer->batch->open++;
    struct task *t = sched_add(&p->sched, peer->batch, module, c->first, c->n, c->cuts, c->lanes,
                               other ? 0 : p->plan.modules[module].took_ms);
    t->limits = c->limits;
    p->deferred = p->deferred || t->deferred;
    sched_begin(&p->sched, t);
}

static void start_batch(struct pool *p, struct peer *peer)
{
    struct batch *b = peer->batch;
    b->started = true;
    for (uint32_t i = 0; i < b->n; i++)
        start_module(p, peer, b->modules[i]);
    end_batch_if_done(peer);
}

void run_start_batches(struct pool *p)
{
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->batch && !peer->batch->started && !peer->dead)
            start_batch(p, peer);
    run_check_asked(p);
}

void run_fail_batches(struct pool *p)
{
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->batch && !peer->batch->ended && !peer->dead) {
            peer->batch->ended = true;
            peer_send(peer, WIRE_ERROR, p->error_code, buf_view(&p->error));
        }
}

/* Whether anything may still be asked for in this run: if not, workers may END. */
void run_check_asked(struct pool *p)
{
    bool all = p->asked != NULL;
    for (uint32_t i = 0; all && i < p->plan.n_modules; i++)
        all = !p->plan.modules[i].stale || p->asked[i];
    if (all && p->plan.other && !p->asked[p->plan.n_modules]) {
        struct collected *c = session_find(p, STR("@other"));
        all = !c || c->n == 0;
    }
    p->sched.all_asked = all;
}

enum { MAX_BROKEN = 8 };

/* One test may break the pytest that it runs in; when one worker after the other breaks, it is something else. */
void run_on_broken(struct pool *p, struct str gone)
{
    struct json j = json_of(gone);
    struct buf key = {0}, text = {0};
    bool ok = json_enter(&j, '{');
    while (ok && json_key(&j, &key))
        ok = str_eq(buf_view(&key), STR("text")) ? json_string(&j, &text) : json_skip(&j);
    if (text.n && ++p->broken >= MAX_BROKEN)
        pool_error(p, EXIT_INTERNAL, buf_view(&text));
    buf_release(&key);
    buf_release(&text);
}

/* ---- runs ---- */

static void forget_clients(struct pool *p, const struct peer *but)
{
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->role == ROLE_CLIENT && peer != but && peer->batch) {
            run_client_gone(p, peer);
            peer->dead = true;
        }
}

/* Workers beside each other, as the options want them. */
static void side_by_side(struct pool *p)
{
    p->wanted = p->plan.options.workers ? p->plan.options.workers : load_workers(p);
    if (p->plan.options.optimizer == OPTIMIZER_STANDARD)
        p->wanted = 1;
    p->sched.alone = false;
    p->sched.slice_ns = p->wanted > p->cpus ? SLICE_NS * p->wanted / p->cpus : SLICE_NS;
    p->sched.per_test = p->plan.options.isolation == ISOLATION_TEST;
    p->sched.per_module = p->plan.options.isolation == ISOLATION_PROCESS;
    session_set_up_workers(p);
    buf_clear(&p->imports);
}

void run_reset(struct pool *p)
{
    free(p->asked);
    p->asked = xmalloc((size_t)p->plan.n_modules + 1);
    memset(p->asked, 0, (size_t)p->plan.n_modules + 1);
    buf_clear(&p->error);
    p->failures = p->restarts = p->bad_starts = p->broken = 0;
    p->stopped = false;
    buf_clear(&p->notes);
    p->deferred = false;
    p->sched.retries = p->plan.options.retries;
    side_by_side(p);
    run_check_asked(p);
}

void run_prepare(struct pool *p)
{
    struct err err = {0};
    if (p->error.n || p->session.state != SESSION_NONE)
        return;
    if (p->zygote.state == ZYGOTE_NONE && !zygote_start(p, &err))
        pool_fail(p, EXIT_INTERNAL, "%s", err.msg);
    zygote_ask_session(p);
}

static bool refuse(struct peer *peer, const char *text)
{
    peer_send(peer, WIRE_ERROR, EXIT_INTERNAL, str_z(text));
    return false;
}

/* Makes run_id the run that this pool serves; false when it cannot (the peer has been told). */
static bool adopt_run(struct pool *p, struct peer *peer, uint64_t run_id, uint64_t env_hash)
{
    struct plan plan = {0};
    struct err err = {0};
    if (p->asked && run_id == p->plan.run_id) {
        run_prepare(p);
        return true;
    }
    if (!plan_load(&plan, p->state_dir.p, &err))
        return refuse(peer, err.msg);
    if (plan.run_id != run_id) {
        plan_release(&plan);
        return refuse(peer, "the plan was replaced by another run; run fastest again");
    }
    if (env_hash != p->env_hash) { /* our environment is the workers': another pool is needed */
        plan_release(&plan);
        peer->dead = true;
        life_begin_end(p, "the environment has changed");
        return false;
    }
    forget_clients(p, peer);
    plan_release(&p->plan);
    p->plan = plan;
    sched_retire(&p->sched);
    load_save(p);
    run_reset(p);
    jobs_open(p);
    if (!zygote_usable(p))
        zygote_discard(p);
    else if (!session_usable(p))
        session_reset(p);
    else
        sched_prefork(&p->sched);
    run_prepare(p);
    return true;
}

static bool read_batch(struct pool *p, struct batch *b, struct unpack *u, uint32_t count)
{
    bool other = count == 0 && p->plan.other && b->tag + 1 == p->plan.n_batches;
    b->n = other ? 1 : count;
    b->modules = xmalloc(((size_t)b->n + 1) * sizeof *b->modules);
    if (other)
        b->modules[0] = p->plan.n_modules;
    for (uint32_t i = 0; i < count; i++)
        b->modules[i] = unpack_u32(u);
    for (uint32_t i = 0; i < b->n; i++) {
        if (u->bad || b->modules[i] > p->plan.n_modules)
            return false;
        p->asked[b->modules[i]] = 1;
    }
    return true;
}

bool run_on_batch(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    uint64_t run_id = unpack_u64(&u);
    uint32_t count = unpack_count(&u, 4);
    if (u.bad || peer->batch)
        return false;
    struct unpack tail = {.p = u.p + (size_t)count * 4, .n = u.n - (size_t)count * 4};
    uint64_t env_hash = unpack_u64(&tail);
    if (tail.bad)
        return false;
    if (!adopt_run(p, peer, run_id, env_hash))
        return true;
    if (p->sched.alone)
        side_by_side(p);
    peer->batch = xmalloc(sizeof *peer->batch);
    *peer->batch = (struct batch){.tag = f->tag};
    if (!read_batch(p, peer->batch, &u, count))
        return false;
    if (p->error.n)
        run_fail_batches(p);
    else if (p->session.state == SESSION_COLLECTED || p->session.state == SESSION_LOST)
        start_batch(p, peer);
    run_check_asked(p);
    return true;
}

/* ---- alone ---- */

static bool read_alone(struct pool *p, struct peer *peer, struct unpack *u)
{
    for (uint32_t n = unpack_count(u, 8); n > 0 && !u->bad; n--) {
        uint32_t module = unpack_u32(u), n_items = unpack_count(u, 4);
        uint32_t *items = xmalloc(((size_t)n_items + 1) * sizeof *items);
        bool ok = module <= p->plan.n_modules;
        for (uint32_t i = 0; i < n_items; i++)
            items[i] = unpack_u32(u);
        struct collected *c = ok && !u->bad ? session_find(p, module_path(p, module)) : NULL;
        for (uint32_t i = 0; c && i < n_items; i++)
            ok = ok && items[i] < c->n && (i == 0 || items[i] > items[i - 1]);
        if (ok && c && n_items) {
            peer->batch->open++;
            peer_send(peer, WIRE_MODULE, module, c->payload);
            struct task *t = sched_add_some(&p->sched, peer->batch, module, c->first, c->n, c->cuts, items, n_items);
            t->limits = c->limits;
        }
        free(items);
        if (!ok)
            return false;
    }
    return !u->bad && u->n == 0;
}

/* Some items once more, or at last, with nothing beside them. */
bool run_on_alone(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    uint64_t run_id = unpack_u64(&u), env_hash = unpack_u64(&u);
    struct str imports = unpack_str(&u);
    if (u.bad || peer->batch)
        return false;
    if (!adopt_run(p, peer, run_id, env_hash))
        return true;
    peer->batch = xmalloc(sizeof *peer->batch);
    *peer->batch = (struct batch){.tag = f->tag, .started = true, .late = true};
    p->sched.alone = true;
    p->sched.slice_ns = 0;
    p->stopped = false;
    p->failures = 0;
    buf_clear(&p->imports);
    buf_str(&p->imports, imports.n ? imports : STR("{\"imports\": []}"));
    if (!read_alone(p, peer, &u))
        return false;
    if (p->error.n)
        run_fail_batches(p);
    else
        end_batch_if_done(peer);
    return true;
}

bool run_on_plan(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    uint64_t run_id = unpack_u64(&u), env_hash = unpack_u64(&u);
    if (u.bad)
        return false;
    if (adopt_run(p, peer, run_id, env_hash))
        peer_send(peer, WIRE_PLAN, 0, (struct str){0});
    return true;
}

/* Its tasks are dropped; a worker that runs one of its items now is ended. */
void run_client_gone(struct pool *p, struct peer *peer)
{
    struct batch *b = peer->batch;
    if (!b)
        return;
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        loss_sync(p, w);
        struct queued *q = sched_running(w);
        if (q && q->task && q->task->owner == b)
            loss_terminate(p, w);
    }
    sched_drop(&p->sched, b);
    free(b->modules);
    free(b);
    peer->batch = NULL;
}

static void add_process(struct pool *p, struct buf *out, const char *name, pid_t pid, uint64_t *all)
{
    uint64_t bytes = 0;
    (void)p;
    if (pid <= 1 || !cpu_resident_bytes(pid, &bytes))
        return;
    buf_printf(out, "\n  %s (process %ld): %.1f MB", name, (long)pid, (double)bytes / 1048576);
    *all += bytes;
}

static void add_running(struct pool *p, struct buf *out, struct worker *w)
{
    loss_sync(p, w);
    struct queued *q = sched_running(w);
    if (!q || !q->task)
        return;
    buf_z(out, ", runs ");
    session_item_id(p, q->task, q->item, out);
}

void run_status(struct pool *p, struct buf *out)
{
    static const char *const states[] = {"not started", "collecting", "ready", "ended"};
    uint32_t clients = 0, tasks = 0;
    uint64_t all = 0;
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        clients += peer->role == ROLE_CLIENT && peer->batch;
    for (struct task *t = p->sched.tasks; t; t = t->next)
        tasks++;
    buf_printf(out, "pool %ld: session %s, %u items in %zu modules, %u workers, %u clients, "
                    "%u modules running",
               (long)getpid(), states[p->session.state], p->session.n_items, p->session.n_modules,
               sched_live(&p->sched), clients, tasks);
    buf_printf(out, "%s", p->plan.options.persistent ? ", persistent" : "");
    add_process(p, out, "interpreter", p->zygote.pid, &all);
    if (p->session.peer && p->session.peer->pid != p->zygote.pid)
        add_process(p, out, "session", p->session.peer->pid, &all);
    for (struct worker *w = p->sched.workers; w; w = w->next) {
        struct buf name = {0};
        buf_printf(&name, "worker %u", w->id);
        if (!w->serves)
            add_process(p, out, name.p, w->pid, &all);
        add_running(p, out, w);
        buf_release(&name);
    }
    buf_printf(out, "\n  %.1f MB in all, where pages that are shared count for each", (double)all / 1048576);
}
