/* What the session collected. */
#include "runtime/pool/state.h"

#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/base/pack.h"
#include "runtime/wire/document.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_LANE = 1000 * 1000, MAX_ITEMS = 20 * 1000 * 1000, MAX_RESTARTS = 3 };

/* What import has looked at beside files (a clock, a server) is not older than this. */
static const int64_t MAX_AGE_NS = INT64_C(600) * 1000 * 1000 * 1000;

static void free_modules(struct session *s)
{
    for (size_t i = 0; i < s->n_modules; i++) {
        free(s->modules[i].data);
        free(s->modules[i].cuts);
        free(s->modules[i].limits);
        free(s->modules[i].lanes);
    }
    free(s->modules);
    map_release(&s->by_path);
    loaded_release(&s->loaded);
    s->modules = NULL;
    s->by_path = (struct map){0};
    s->n_modules = s->cap = 0;
    s->n_items = 0;
}

void session_reset(struct pool *p)
{
    for (struct task *t = p->sched.tasks; t; t = t->next)
        t->limits = NULL;
    if (p->session.peer)
        p->session.peer->dead = true; /* end of file: it ends */
    free_modules(&p->session);
    memset(&p->session, 0, sizeof p->session);
}

struct collected *session_find(struct pool *p, struct str path)
{
    uintptr_t *at = map_get(&p->session.by_path, path);
    return at ? &p->session.modules[*at - 1] : NULL;
}

/* Nothing, or a number for each item. */
static bool read_column(struct unpack *u, uint32_t n, uint32_t **out)
{
    uint32_t count = unpack_count(u, 4);
    *out = NULL;
    if (u->bad || count == 0)
        return !u->bad;
    *out = xmalloc((size_t)count * sizeof **out);
    for (uint32_t i = 0; i < count; i++)
        (*out)[i] = unpack_u32(u);
    return !u->bad && count == n;
}

/* Reads the groups into cuts; false when the payload is malformed. */
static bool read_module(struct collected *c, uint32_t room)
{
    struct unpack u = {.p = (const unsigned char *)c->payload.p, .n = c->payload.n};
    c->path = unpack_str(&u);
    c->n = unpack_count(&u, 4);
    if (u.bad || c->n > room)
        return false;
    uint32_t *groups = xmalloc(((size_t)c->n + 1) * sizeof *groups);
    for (uint32_t i = 0; i < c->n; i++)
        groups[i] = unpack_u32(&u);
    bool ok = read_column(&u, c->n, &c->limits) && read_column(&u, c->n, &c->lanes);
    for (uint32_t i = 0; ok && c->lanes && i < c->n; i++)
        ok = c->lanes[i] <= MAX_LANE;
    unpack_str(&u);
    ok = ok && !u.bad && u.n == 0;
    if (ok) {
        c->cuts = xmalloc((size_t)c->n + 1);
        sched_cuts(groups, c->n, c->cuts);
    }
    free(groups);
    return ok;
}

bool session_on_module(struct pool *p, const struct frame *f)
{
    struct session *s = &p->session;
    struct collected c = {.first = s->n_items};
    if (s->state != SESSION_ASKED)
        return false;
    c.data = xmalloc(f->payload.n + 1);
    memcpy(c.data, f->payload.p, f->payload.n);
    c.payload = (struct str){c.data, f->payload.n};
    if (!read_module(&c, MAX_ITEMS - s->n_items)) {
        free(c.data);
        free(c.cuts);
        free(c.limits);
        free(c.lanes);
        return false;
    }
    s->modules = xgrow(s->modules, &s->cap, s->n_modules + 1, sizeof *s->modules);
    s->modules[s->n_modules++] = c;
    s->n_items += c.n;
    p->limits = p->limits || c.limits;
    *map_put(&s->by_path, c.path, NULL) = s->n_modules;
    return true;
}

static struct str task_path(struct pool *p, const struct task *t)
{
    return t->module < p->plan.n_modules ? p->plan.modules[t->module].path : STR("@other");
}

void session_item_id(struct pool *p, const struct task *t, uint32_t item, struct buf *out)
{
    const struct collected *c = session_find(p, task_path(p, t));
    if (!c)
        return;
    struct unpack u = {.p = (const unsigned char *)c->payload.p, .n = c->payload.n};
    unpack_str(&u);
    for (int column = 0; column < 3; column++) /* groups, limits, lanes */
        for (uint32_t i = unpack_count(&u, 4); i > 0; i--)
            unpack_u32(&u);
    document_item_id(unpack_str(&u), item, out);
}

/* After a restart: the open tasks go on with the numbers of the new session. */
static void rebase_tasks(struct pool *p)
{
    for (struct task *t = p->sched.tasks, *next; t; t = next) {
        next = t->next;
        struct collected *c = session_find(p, task_path(p, t));
        if (c && c->n == t->n) {
            t->first = c->first;
            t->cuts = c->cuts;
            t->limits = c->limits;
            continue;
        }
        sched_fail(&p->sched, t,
                   STR("{\"phases\": [{\"when\": \"call\", \"o\": \"failed\", \"d\": 0, \"t\": 0, "
                       "\"repr\": \"not run: pytest was started again after a crash, and did not "
                       "collect the same tests\"}]}"));
    }
}

/* False: it is for this run alone. */
static bool read_collected(struct session *s, struct str text)
{
    struct json j = json_of(text);
    struct buf key = {0};
    bool ok = json_enter(&j, '{'), again = false;
    while (ok && json_key(&j, &key)) {
        if (str_eq(buf_view(&key), STR("again")))
            again = json_peek(&j) == 't';
        ok = str_eq(buf_view(&key), STR("loaded")) ? loaded_read(&s->loaded, &j) : json_skip(&j);
    }
    buf_release(&key);
    return ok && json_done(&j) && again;
}

/* One that cannot be forked serves itself, and other interpreters beside it when that is worth while (life.c). */
void session_set_up_workers(struct pool *p)
{
    bool single = p->session.state == SESSION_COLLECTED && !p->session.forks && !p->sched.per_module;
    enum isolation isolation = p->plan.options.isolation;
    p->sched.whole = single;
    p->sched.serves_on = single || isolation == ISOLATION_SESSION || p->plan.options.optimizer == OPTIMIZER_STANDARD;
    if (single) {
        p->sched.per_test = false;
        p->wanted = 1;
    }
}

static void note_why(struct pool *p, struct str document)
{
    struct buf why = {0};
    struct json j = json_of(document_member(document, "text"));
    if (!p->session.forks && json_peek(&j) == '"' && json_string(&j, &why))
        pool_notice(p, "%s: the tests run in interpreters of their own, not in forks", why.p);
    buf_release(&why);
}

bool session_on_collected(struct pool *p, const struct frame *f)
{
    struct session *s = &p->session;
    if (s->state != SESSION_ASKED)
        return false;
    s->state = SESSION_COLLECTED;
    s->forks = f->tag & COLLECTED_FORKS;
    s->collected_ns = p->now_ns;
    s->cost_ns = p->now_ns - p->zygote.begun_ns;
    session_set_up_workers(p);
    note_why(p, f->payload);
    if (f->tag & COLLECTED_INTERRUPTED) {
        p->stopped = true;
        plan_mark(&p->plan, "interrupted", (struct str){0});
    }
    pool_log(p, "collected %u items in %zu modules: %.*s", s->n_items, s->n_modules,
             (int)(f->payload.n < 2000 ? f->payload.n : 2000), f->payload.p);
    s->again = read_collected(s, f->payload) && !(f->tag & COLLECTED_INTERRUPTED);
    rebase_tasks(p);
    watch_collected(p);
    run_start_batches(p);
    if (s->forks && s->n_items && !p->stopped && !p->sched.tasks)
        sched_prefork(&p->sched); /* ready before the first client comes */
    return true;
}

void session_asked(struct pool *p)
{
    loaded_begin(&p->session.loaded);
    p->session.what = zygote_what(&p->plan);
    p->session.state = SESSION_ASKED;
}

bool session_usable(struct pool *p)
{
    struct session *s = &p->session;
    if (s->state != SESSION_COLLECTED || !s->peer || !s->again || !s->forks || s->serving ||
        clock_wall_ns() - s->loaded.started_ns > MAX_AGE_NS || !hash128_eq(s->what, zygote_what(&p->plan)))
        return false;
    for (uint32_t i = 0; i < p->plan.n_modules; i++)
        if (p->plan.modules[i].stale && !session_find(p, p->plan.modules[i].path))
            return false;
    return loaded_same(&s->loaded);
}

void session_closed(struct pool *p, struct peer *peer)
{
    struct session *s = &p->session;
    if (s->peer != peer)
        return;
    s->peer = NULL;
    if (s->state == SESSION_ASKED)
        pool_fail(p, EXIT_INTERNAL, "pytest ended while it collected the tests");
    s->state = SESSION_LOST;
    s->serving = false;
}

bool session_restart(struct pool *p)
{
    struct err err = {0};
    if (p->life != LIFE_RUNS || p->error.n)
        return false;
    if (++p->restarts > MAX_RESTARTS) {
        pool_fail(p, EXIT_INTERNAL, "pytest's session ended %d times without running a test",
                  MAX_RESTARTS);
        return false;
    }
    pool_log(p, "the session has ended: starting another for the rest");
    if (p->plan.options.persistent && p->zygote.state == ZYGOTE_READY) {
        sched_retire(&p->sched);
        session_reset(p);
    } else {
        zygote_discard(p);
        if (!zygote_start(p, &err)) {
            pool_fail(p, EXIT_INTERNAL, "%s", err.msg);
            return false;
        }
    }
    zygote_ask_session(p);
    return true;
}
