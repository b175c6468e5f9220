/* Starting the zygote and its sessions. */
#include "runtime/pool/state.h"

#include "runtime/base/arena.h"
#include "runtime/base/clock.h"
#include "runtime/base/embed.h"
#include "runtime/base/pack.h"
#include "runtime/proc/spawn.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"
#include "runtime/wire/sock.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool new_token(char token[33])
{
    unsigned char raw[16];
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && io_read_full(fd, raw, sizeof raw) == (ssize_t)sizeof raw;
    if (fd >= 0)
        close(fd);
    for (size_t i = 0; ok && i < sizeof raw; i++) {
        token[2 * i] = "0123456789abcdef"[raw[i] >> 4];
        token[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
    }
    token[32] = '\0';
    return ok;
}

/* What a running zygote cannot change any more. */
static struct hash128 setup_hash(const struct plan *plan)
{
    struct hasher *h = hasher_new();
    hasher_str(h, plan->options.python);
    hasher_str(h, plan->cwd);
    hasher_str(h, plan->root);
    hasher_u64(h, plan->options.persistent);
    hasher_u64(h, plan->options.optimizer);
    hasher_u64(h, plan->options.batch_timeout_ms != 0);
    hasher_u64(h, plan->options.retries);
    hasher_hash(h, plan->environment);
    for (uint32_t i = 0; i < plan->n_args; i++)
        hasher_str(h, plan->args[i]);
    return hasher_done(h);
}

/* The name of an embedded worker module, "" for other embedded files. */
static struct str worker_module(const struct embed_file *f)
{
    struct str name = str_z(f->name), dir = STR("runtime/worker/");
    if (str_eq(name, STR("generator/config/standin.py")))
        return STR("standin");
    if (!str_starts(name, dir))
        return (struct str){0};
    return str_slice(name, dir.n, str_ends(name, STR(".py")) ? name.n - 3 : name.n);
}

static void source_payload(struct buf *b)
{
    struct buf files = {0};
    uint32_t n = 0;
    for (const struct embed_file *f = embed_files; f->name; f++) {
        struct str name = worker_module(f);
        if (name.n == 0)
            continue;
        pack_str(&files, name);
        pack_str(&files, (struct str){f->text, f->size});
        n++;
    }
    pack_u32(b, n);
    buf_str(b, buf_view(&files));
    buf_release(&files);
}

static void member(struct buf *b, const char *name, struct str value)
{
    buf_printf(b, "%s\"%s\": ", b->n > 1 ? ", " : "", name);
    json_quote(b, value);
}

static void send_config(struct pool *p, struct peer *peer)
{
    const struct plan *plan = &p->plan;
    struct buf b = {0};
    buf_char(&b, '{');
    member(&b, "cwd", plan->cwd);
    member(&b, "root", plan->root);
    member(&b, "socket", buf_view(&p->sock));
    member(&b, "token", str_z(p->zygote.token));
    member(&b, "state_dir", buf_view(&p->state_dir));
    member(&b, "log", peer == p->zygote.peer && p->zygote.early ? buf_view(&p->log) : STR(""));
    member(&b, "optimizer", str_z(optimizer_name(plan->options.optimizer)));
    buf_printf(&b, ", \"persistent\": %s, \"batch_timeout\": %s, \"stack_signal\": %d, \"retries\": %u, \"args\": [",
               plan->options.persistent ? "true" : "false", plan->options.batch_timeout_ms ? "true" : "false",
               stack_signal(), plan->options.retries);
    for (uint32_t i = 0; i < plan->n_args; i++) {
        buf_z(&b, i ? ", " : "");
        json_quote(&b, plan->args[i]);
    }
    buf_z(&b, "]}");
    peer_send(peer, WIRE_CONFIG, 0, buf_view(&b));
    buf_release(&b);
}

static const char *bootstrap(void)
{
    for (const struct embed_file *f = embed_files; f->name; f++)
        if (strcmp(f->name, "runtime/worker/bootstrap.py") == 0)
            return f->text;
    return NULL;
}

/* cwd {0}: ours. */
static pid_t spawn_python(struct str path, struct str dir, int fd, struct err *err)
{
    struct arena a = {0};
    char *cwd = dir.n ? arena_dup(&a, dir.p, dir.n) : NULL;
    char *python = arena_dup(&a, path.p, path.n);
    char minus_c[] = "-c";
    const char *text = bootstrap();
    pid_t pid = -1;
    if (text) {
        char *argv[] = {python, minus_c, arena_dup(&a, text, strlen(text)), NULL};
        pid = spawn_start(&(struct spawn){.argv = argv, .cwd = cwd, .fd3 = fd}, err);
    } else {
        err_set(err, "this binary holds no worker code: build it again");
    }
    arena_release(&a);
    return pid;
}

pid_t zygote_spawn(struct pool *p, uint32_t role, struct peer **peer, struct err *err)
{
    int fds[2];
    if (!sock_pair(fds, err))
        return -1;
    pid_t pid = spawn_python(p->plan.options.python, p->plan.cwd, fds[1], err);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        return -1;
    }
    struct buf b = {0};
    *peer = peer_add(p, fds[0], role);
    source_payload(&b);
    peer_send(*peer, WIRE_SOURCE, 0, buf_view(&b));
    buf_release(&b);
    send_config(p, *peer);
    return pid;
}

bool zygote_start_early(struct pool *p, const char *python)
{
    struct err ignored;
    struct buf b = {0}, frame = {0};
    int fds[2];
    if (!sock_pair(fds, &ignored))
        return false;
    pid_t pid = spawn_python(str_z(python), (struct str){0}, fds[1], &ignored);
    close(fds[1]);
    source_payload(&b);
    frame_add(&frame, WIRE_SOURCE, 0, buf_view(&b));
    bool ok = pid > 0 && io_write_all(fds[0], frame.p, frame.n);
    if (ok) {
        p->zygote.pid = pid;
        p->zygote.early_fd = fds[0];
        p->zygote.begun_ns = clock_mono_ns();
    } else {
        close(fds[0]);
    }
    buf_release(&b);
    buf_release(&frame);
    return ok;
}

/* The early one, if it still lives. */
static bool take_early(struct pool *p)
{
    struct zygote *z = &p->zygote;
    z->early = z->early_fd >= 0 && z->pid;
    if (z->early) {
        z->peer = peer_add(p, z->early_fd, ROLE_ZYGOTE);
        send_config(p, z->peer);
    } else if (z->early_fd >= 0) {
        close(z->early_fd);
    }
    z->early_fd = -1;
    return z->early;
}

bool zygote_start(struct pool *p, struct err *err)
{
    struct zygote *z = &p->zygote;
    if (!new_token(z->token))
        return err_errno(err, "/dev/urandom: cannot be read");
    loaded_begin(&z->loaded); /* an early one has loaded nothing of the project yet, or ends */
    if (!take_early(p)) {
        pid_t pid = zygote_spawn(p, ROLE_ZYGOTE, &z->peer, err);
        if (pid < 0)
            return false;
        z->pid = pid;
        z->begun_ns = clock_mono_ns();
    }
    z->state = ZYGOTE_STARTING;
    z->setup = setup_hash(&p->plan);
    return true;
}

bool zygote_on_ready(struct pool *p, const struct frame *f)
{
    struct json j = json_of(f->payload);
    struct buf key = {0};
    bool ok = p->zygote.state == ZYGOTE_STARTING && json_enter(&j, '{');
    while (ok && json_key(&j, &key))
        ok = str_eq(buf_view(&key), STR("files")) ? loaded_read(&p->zygote.loaded, &j) : json_skip(&j);
    buf_release(&key);
    if (!ok || !json_done(&j))
        return false;
    p->zygote.state = ZYGOTE_READY;
    zygote_ask_session(p);
    return true;
}

bool zygote_usable(struct pool *p)
{
    struct zygote *z = &p->zygote;
    if (z->state == ZYGOTE_STARTING)
        return hash128_eq(z->setup, setup_hash(&p->plan));
    if (z->state != ZYGOTE_READY || !p->plan.options.persistent ||
        !hash128_eq(z->setup, setup_hash(&p->plan)))
        return false;
    return loaded_same(&z->loaded);
}

#define ALL_MODULES UINT32_MAX

/* only: of the clean ones, all but this. */
static void path_list(struct buf *b, const struct plan *plan, bool clean_only, uint32_t only)
{
    bool first = true;
    buf_char(b, '[');
    for (uint32_t i = 0; i < plan->n_modules; i++) {
        const struct plan_module *m = &plan->modules[i];
        bool wanted = only == ALL_MODULES ? m->stale : i == only;
        if ((clean_only && wanted) || m->path.n == 0 || m->path.p[0] != '/')
            continue;
        buf_z(b, first ? "" : ", ");
        json_quote(b, m->path);
        first = false;
    }
    buf_char(b, ']');
}

static void id_list(struct buf *b, const char *name, const struct str *ids, uint32_t n)
{
    buf_printf(b, ", \"%s\": [", name);
    for (uint32_t i = 0; i < n; i++) {
        buf_z(b, i ? ", " : "");
        json_quote(b, ids[i]);
    }
    buf_char(b, ']');
}

static void group_list(struct buf *b, const struct plan *plan)
{
    buf_z(b, ", \"groups\": [");
    for (uint32_t i = 0; i < plan->n_groups; i++) {
        buf_z(b, i ? ", [" : "[");
        json_quote(b, plan->groups[i].name);
        buf_z(b, ", ");
        json_quote(b, plan->groups[i].glob);
        buf_char(b, ']');
    }
    buf_char(b, ']');
}

/* For a worker that is alone: with others a module may be split, and what fails of that counts when it is confirmed. */
static uint32_t worker_maxfail(const struct plan *plan)
{
    const struct plan_options *o = &plan->options;
    return o->workers == 1 || o->optimizer == OPTIMIZER_STANDARD ? o->maxfail : 0;
}

/* The members of a *session* that say what is collected, and how. */
static void say_what(struct buf *b, const struct plan *plan, uint32_t only)
{
    bool other = plan->other && (only == ALL_MODULES || only == plan->n_modules);
    buf_z(b, "\"planned\": ");
    path_list(b, plan, false, only);
    id_list(b, "only", plan->only, plan->n_only);
    id_list(b, "first", plan->first, plan->n_first);
    id_list(b, "serial", plan->serial, plan->n_serial);
    group_list(b, plan);
    buf_z(b, ", \"tty\": ");
    json_quote(b, plan->options.tty);
    buf_printf(b, ", \"other\": %s, \"maxfail\": %u", other ? "true" : "false", worker_maxfail(plan));
}

struct hash128 zygote_what(const struct plan *plan)
{
    struct buf b = {0};
    say_what(&b, plan, ALL_MODULES);
    struct hash128 hash = hash128_of(b.p, b.n);
    buf_release(&b);
    return hash;
}

static void add_request(struct buf *b, const struct pool *p, uint32_t only)
{
    const struct plan *plan = &p->plan;
    buf_printf(b, "{\"run_id\": \"%016llx\", \"clean\": ", (unsigned long long)plan->run_id);
    path_list(b, plan, true, only);
    buf_z(b, ", ");
    say_what(b, plan, only);
}

void zygote_ask_session(struct pool *p)
{
    struct zygote *z = &p->zygote;
    struct buf b = {0};
    bool fork = p->plan.options.persistent;
    if (z->state != ZYGOTE_READY || p->session.state != SESSION_NONE || p->error.n)
        return;
    add_request(&b, p, ALL_MODULES);
    buf_char(&b, '}');
    peer_send(z->peer, WIRE_SESSION, fork, buf_view(&b));
    buf_release(&b);
    session_asked(p);
    if (!fork)
        z->state = ZYGOTE_USED;
}

/* ---- interpreters that are workers ---- */

bool replica_start(struct pool *p, struct worker *w)
{
    struct err err = {0};
    struct peer *peer = NULL;
    w->pid = zygote_spawn(p, ROLE_REPLICA, &peer, &err);
    if (w->pid < 0) {
        w->pid = 0;
        pool_fail(p, EXIT_INTERNAL, "%s", err.msg);
        return false;
    }
    peer->worker_id = w->id;
    w->replica = true;
    return true;
}

/* Where the numbers of each module's items begin, and how many there are. */
static void add_numbers(struct buf *b, const struct pool *p, struct str only)
{
    bool first = true;
    buf_char(b, '{');
    for (size_t i = 0; i < p->session.n_modules; i++) {
        const struct collected *c = &p->session.modules[i];
        if (only.n && !str_eq(c->path, only))
            continue;
        buf_z(b, first ? "" : ", ");
        json_quote(b, c->path);
        buf_printf(b, ": [%u, %u]", c->first, c->n);
        first = false;
    }
    buf_char(b, '}');
}

bool replica_on_ready(struct pool *p, struct peer *peer)
{
    struct worker *w = sched_find(&p->sched, peer->worker_id);
    struct buf b = {0};
    if (!w || w->state != WORKER_STARTING || p->session.state != SESSION_COLLECTED) {
        peer->dead = true;
        return true;
    }
    uint32_t only = w->own.task ? w->own.task->module : ALL_MODULES;
    struct str path = only < p->plan.n_modules ? p->plan.modules[only].path : STR("@other");
    add_request(&b, p, only);
    buf_printf(&b, ", \"replica\": {\"worker\": %u, \"imports\": %s, \"numbers\": ", w->id, p->imports.n ? p->imports.p : "null");
    add_numbers(&b, p, only == ALL_MODULES ? STR("") : path);
    buf_z(&b, "}}");
    peer_send(peer, WIRE_SESSION, 0, buf_view(&b));
    buf_release(&b);
    return true;
}

/* A child that is not the zygote; false when it is nobody's. */
bool replica_reaped(struct pool *p, pid_t pid, uint32_t status)
{
    for (struct worker *w = p->sched.workers; w; w = w->next)
        if (w->replica && w->pid == pid) {
            loss_status(p, w, status);
            return true;
        }
    return false;
}

void zygote_reaped(struct pool *p, uint32_t status)
{
    struct zygote *z = &p->zygote;
    z->pid = 0;
    if (z->state == ZYGOTE_USED)
        for (struct worker *w = p->sched.workers, *next; w; w = next) {
            next = w->next;
            if (w->serves && !w->old)
                loss_status(p, w, status);
        }
    bool unused = z->state == ZYGOTE_STARTING || z->state == ZYGOTE_READY ||
                  (z->state == ZYGOTE_USED && p->session.state == SESSION_ASKED);
    if (p->life == LIFE_RUNS && z->state == ZYGOTE_STARTING && z->early) {
        zygote_discard(p); /* what it had to say is lost: once more, with the log */
        run_prepare(p);
        return;
    }
    if (p->life == LIFE_RUNS && unused) {
        struct buf b = {0};
        describe_status(&b, status);
        pool_fail(p, EXIT_INTERNAL, "pytest could not be started: the interpreter %s before the tests "
                                    "were collected", b.p);
        buf_release(&b);
    }
    z->state = ZYGOTE_NONE;
}

void zygote_discard(struct pool *p)
{
    struct zygote *z = &p->zygote;
    sched_retire(&p->sched);
    session_reset(p);
    if (z->peer) {
        z->peer->dead = true; /* end of file: it ends */
        z->peer = NULL;
    }
    if (z->pid)
        kill(z->pid, SIGTERM);
    z->pid = 0; /* reaped later, nobody asks for its status */
    z->state = ZYGOTE_NONE;
    loaded_release(&z->loaded);
}
