/* The daemon's state. Internal to runtime/pool. One process, one thread, one poll loop: handlers run
 * to completion and never block. */
#ifndef FASTEST_POOL_STATE_H
#define FASTEST_POOL_STATE_H

#include "generator/graph/plan.h"
#include "runtime/base/map.h"
#include "runtime/pool/loaded.h"
#include "runtime/pool/running.h"
#include "runtime/pool/sched.h"
#include "runtime/wire/conn.h"

#include <sys/types.h>

enum { ROLE_ZYGOTE = 4, ROLE_REPLICA = 5 }; /* beside enum wire_role: descriptor 3 of the zygote, of a replica */

struct batch {
    uint32_t tag;
    uint32_t *modules; /* plan order; plan.n_modules stands for "@other" */
    uint32_t n;
    uint32_t open;     /* tasks without an end */
    int64_t begun_ns;  /* when its first item began; 0 = not yet */
    bool started, ended, late;
};

enum watching { WATCH_NOTHING, WATCH_NOTICES, WATCH_COUNTS, WATCH_TEXT }; /* each with what comes before it */
struct peer {
    struct conn conn;
    uint32_t role;
    pid_t pid;             /* 0 = unknown */
    uint32_t worker_id;    /* of a replica */
    struct worker *worker; /* of a worker, or of a session that serves itself */
    struct batch *batch;   /* of a client */
    enum watching watches;
    bool stop;             /* the client has asked for the end */
    bool dead;             /* closed at the end of the round */
    struct peer *next;
};

/* A module as the session collected it. */
struct collected {
    struct str path, payload; /* views into data */
    char *data;
    uint32_t first, n;
    uint8_t *cuts;
    uint32_t *limits, *lanes; /* NULL: none */
};

enum zygote_state { ZYGOTE_NONE, ZYGOTE_STARTING, ZYGOTE_READY, ZYGOTE_USED };
struct zygote {
    enum zygote_state state;
    pid_t pid;          /* our child; 0 when reaped */
    struct peer *peer;
    struct loaded loaded; /* code, as it was at READY */
    int64_t begun_ns;     /* when it was started, monotonic */
    int early_fd;         /* of one that was started before there was a plan; -1: there is none */
    bool early;           /* it is that one: its output goes nowhere until it knows the log */
    struct hash128 setup; /* of what it was started with: a change needs another */
    char token[33];
};

enum session_state { SESSION_NONE, SESSION_ASKED, SESSION_COLLECTED, SESSION_LOST };
struct session {
    enum session_state state;
    struct peer *peer;
    bool forks, serving;
    int64_t collected_ns, cost_ns; /* when it had collected; what that, and the interpreter's start, took */
    struct collected *modules;
    size_t n_modules, cap;
    struct map by_path; /* index + 1 */
    uint32_t n_items;
    struct loaded loaded;   /* what collection has read, as it was at COLLECTED */
    struct hash128 what;    /* zygote_what of the plan that it was asked for */
    bool again;             /* another run may use it */
};

/* GNU make's jobserver. */
struct jobs {
    int input, output; /* -1 = none */
    bool open;
    char tokens[1000]; /* that we have */
    uint32_t n;
    int64_t retry_ns;  /* when to try again to get one; 0 = none is wanted */
};

/* A process group whose worker has been lost. */
struct leftover {
    pid_t pgid;
    int64_t kill_ns;
};

enum pool_life { LIFE_RUNS, LIFE_WORKERS_END, LIFE_SESSION_ENDS, LIFE_OVER };
struct pool {
    struct buf state_dir, sock, log;
    struct plan plan;
    uint64_t env_hash;
    int listener, lock_fd, signal_fd;
    struct peer *peers;
    struct zygote zygote;
    struct session session;
    pid_t known_sessions[16]; /* that have said hello, the last ones: their end is no surprise */
    unsigned n_known_sessions;
    struct sched sched;
    uint32_t wanted;     /* workers at work, if the build around us allows them */
    struct jobs jobs;
    struct running running;
    uint32_t blank_losses; /* workers in a row that were lost while they ran nothing */
    struct leftover groups[64];
    size_t n_groups;
    uint8_t *asked;     /* n_modules + 1: clients have asked for it in this run */
    struct buf error;   /* told to every client of this run; "" = none */
    uint32_t error_code;
    uint32_t failures;
    uint32_t restarts;  /* sessions replaced without a result between them */
    uint32_t broken;    /* workers that ended by an internal error of pytest's, without a pass since */
    uint32_t bad_starts; /* workers in a row that never connected */
    bool stopped;       /* fail-fast */
    bool deferred;      /* items of this run wait until they can run alone */
    struct buf notes;   /* lines of NOTICE for everybody who watches this run */
    struct buf imports; /* for the next workers: what they import first (PROTOCOL.md, FORK) */
    bool limits;        /* an item has one, or had */
    uint32_t cpus;
    double cpu_s, busy_s; /* of the workers of this run that have gone */
    int64_t now_ns, idle_ns, sample_ns, grow_ns, end_ns; /* monotonic; 0 = not set */
    uint64_t idle_ticks;
    enum pool_life life;
    bool killed;        /* by a signal: no grace for tests */
};

/* pool.c */
void pool_log(const struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A line for those who watch this run, now or later; each text once. */
void pool_notice(struct pool *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An error for every client of this run, now and later; the first one counts. pool_fail adds the
 * end of the log. */
void pool_error(struct pool *p, uint32_t code, struct str text);
void pool_fail(struct pool *p, uint32_t code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
struct peer *peer_add(struct pool *p, int fd, uint32_t role);
void peer_send(struct peer *peer, uint16_t type, uint32_t tag, struct str payload);

/* dispatch.c: what may come from whom. False = a breach of the protocol. */
bool dispatch_frame(struct pool *p, struct peer *peer, const struct frame *f);
void dispatch_closed(struct pool *p, struct peer *peer);

/* zygote.c */
bool zygote_start(struct pool *p, struct err *err);
/* Before there is a plan; zygote_start then takes it. */
bool zygote_start_early(struct pool *p, const char *python);
bool zygote_on_ready(struct pool *p, const struct frame *f);
bool zygote_usable(struct pool *p); /* the same set-up, and no loaded file has changed */
void zygote_ask_session(struct pool *p);
/* Hash of what a session for this plan collects, and how, whatever is clean. */
struct hash128 zygote_what(const struct plan *plan);
void zygote_reaped(struct pool *p, uint32_t status);
/* An interpreter with our modules and the configuration; the pid, or -1 with err. */
pid_t zygote_spawn(struct pool *p, uint32_t role, struct peer **peer, struct err *err);
/* A replica is an interpreter that collects what the session has, and serves as a worker: where the session cannot be
 * forked, and with --isolation=process. */
bool replica_start(struct pool *p, struct worker *w);
bool replica_on_ready(struct pool *p, struct peer *peer);
bool replica_reaped(struct pool *p, pid_t pid, uint32_t status);
void zygote_discard(struct pool *p); /* ends it and its session, now */

/* session.c */
void session_asked(struct pool *p); /* a SESSION frame has gone to the zygote */
bool session_on_module(struct pool *p, const struct frame *f);
void session_set_up_workers(struct pool *p); /* what the scheduler has to know of it */
bool session_on_collected(struct pool *p, const struct frame *f);
void session_closed(struct pool *p, struct peer *peer);
void session_reset(struct pool *p);
struct collected *session_find(struct pool *p, struct str path);
/* Node id of a task's item; nothing when it cannot be told. */
void session_item_id(struct pool *p, const struct task *t, uint32_t item, struct buf *out);
bool session_restart(struct pool *p); /* a new one that continues the tasks of the old */
/* Has it collected what a new plan asks for, and is everything as it was? */
bool session_usable(struct pool *p);

/* run.c: clients */
bool run_on_batch(struct pool *p, struct peer *peer, const struct frame *f);
bool run_on_alone(struct pool *p, struct peer *peer, const struct frame *f);
bool run_on_plan(struct pool *p, struct peer *peer, const struct frame *f);
void run_start_batches(struct pool *p);
void run_fail_batches(struct pool *p);
void run_client_gone(struct pool *p, struct peer *peer);
void run_check_asked(struct pool *p);
void run_on_broken(struct pool *p, struct str gone); /* a worker has gone: had its pytest an internal error? */
void run_status(struct pool *p, struct buf *out);
void run_prepare(struct pool *p); /* starts what the plan needs and does not have */
void run_reset(struct pool *p);   /* after a plan was loaded */
extern const struct sched_ops run_ops;

/* watch.c: those who look on */
bool watch_on_request(struct pool *p, struct peer *peer, const struct frame *f);
void watch_collected(struct pool *p);
void watch_module(struct pool *p, uint32_t module, const struct collected *c);
void watch_result(struct pool *p, uint32_t module, struct str payload);
void watch_module_end(struct pool *p, uint32_t module, struct str flags);

/* loss.c: the end of workers */
bool loss_on_exited(struct pool *p, const struct frame *f);
void loss_worker_closed(struct pool *p, struct worker *w);
void loss_terminate(struct pool *p, struct worker *w);
void loss_deadlines(struct pool *p);
/* Makes the item that the worker runs now the first of its queue; false when it is between two items. */
bool loss_sync(struct pool *p, struct worker *w);
int64_t loss_next(const struct pool *p); /* when loss_deadlines has something to do with process groups */
void loss_kill_groups(struct pool *p);   /* of workers that were lost, now */
void loss_status(struct pool *p, struct worker *w, uint32_t status);
void describe_status(struct buf *out, uint32_t status);

/* load.c: whether tests compute or wait */
void load_take(struct pool *p, struct str gone); /* a worker's last words */
void load_save(struct pool *p);                  /* for the next run */
uint64_t *load_until(void *ctx, const struct task *t); /* sched_ops.until, from the module's record */
uint32_t load_workers(struct pool *p);           /* how many workers to begin with */

/* jobs.c: what the build around us allows */
void jobs_open(struct pool *p);  /* of this plan */
void jobs_close(struct pool *p);
void jobs_step(struct pool *p);  /* sets the scheduler's limit */

/* limits.c: what takes too long */
void limits_check(struct pool *p);
int64_t limits_next(const struct pool *p); /* when to check again; 0: when something happens */
bool limits_on_limit(struct pool *p, struct peer *peer, const struct frame *f);
/* The text of a result that a limit has failed, with the stacks that the worker has written. */
void limits_reason(struct pool *p, const struct worker *w, struct buf *out);
void limits_forget(struct pool *p, const struct worker *w); /* removes its file */

/* life.c: timers and the end */
void life_begin_end(struct pool *p, const char *why);
void life_step(struct pool *p);
int64_t life_next_deadline(const struct pool *p);

/* cpu_linux.c, cpu_darwin.c */
uint32_t cpu_count(void);
bool cpu_ticks_of(pid_t pid, uint64_t *ticks);     /* user and system time; false: unknown */
bool cpu_resident_bytes(pid_t pid, uint64_t *bytes);
bool cpu_is_stopped(pid_t pid); /* by SIGSTOP or its like; a debugger's process is not */
bool cpu_idle_ticks(uint64_t *ticks, uint32_t *cpus); /* of the machine */
long cpu_ticks_per_second(void);
int stack_signal(void); /* for faulthandler: one that nobody uses */

#endif
