/* The scheduler: which worker runs which item next. Pure: it talks to the world through sched_ops,
 * so that the unit tests are just another world.
 *
 * A task is one module of one client's batch. Its items are handed out as ranges: a worker owns at
 * most one range and is sent small chunks of it; a worker that has nothing takes the oldest pending
 * range, else steals the second half of the unsent items of the longest range, at a boundary where
 * no group of items (shared fixtures) is cut. Items that were sent are never stolen.
 *
 * A worker whose time slice is over finishes its module and ends; another is forked in its place, unless less than
 * a slice is left.
 *
 * An item has a lane. LANE_ANY goes to whoever is free. LANE_ALONE waits for the end of the run: the client asks again
 * for it. The items of any other lane, of whatever module, go to one worker, one after the other; when that is lost,
 * to another one. Items that are not cut from each other have the lane of the first that has one, LANE_ALONE before all.
 *
 * While `alone` is set there is at most one process at work, and a new one begins when the last one is gone.
 *
 * Everything is malloc'ed and owned by the scheduler; tasks end with ops->task_done. */
#ifndef FASTEST_POOL_SCHED_H
#define FASTEST_POOL_SCHED_H

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#include <stdint.h>
#include <sys/types.h>

struct task {
    void *owner;          /* the batch it belongs to (the pool's) */
    uint32_t module;      /* plan index: the tag of its frames */
    uint32_t first, n;    /* session's item numbers: [first, first + n) */
    const uint8_t *cuts;  /* n bytes: 1 where the module may be cut before this item; session's */
    uint32_t *lanes;      /* n, items that are not cut from each other with the same one; NULL: LANE_ANY */
    const uint32_t *limits; /* n: how many ms an item may run, 0 = for ever; NULL: all; session's */
    uint8_t *outcomes;    /* n; NO_OUTCOME until there is a result; LEFT_OUT: nobody has asked for it now */
    uint8_t *tries;       /* n, how often an item was lost and put back; NULL: never */
    uint32_t left;
    uint32_t cost_ms;     /* what it took last time; 0 = not known */
    uint64_t *until_us;   /* n + 1: what the items before each took last time; NULL: not known */
    bool until_asked;
    uint32_t lost;        /* workers lost in it, one after the other, without a result between them (the pool's) */
    bool split;           /* not all of it ran in one process, in order */
    bool partial;         /* ended before all had a result */
    bool deferred;        /* it has items of LANE_ALONE that were left out */
    struct task *next;
};
enum { NO_OUTCOME = 255, LEFT_OUT = 254 };
enum { LANE_ANY = 0, LANE_ALONE = 1, LANE_FIRST = 2 };

struct range {
    struct task *task; /* NULL = none */
    uint32_t from, to; /* items of the task, of one lane */
    struct range *next;
};

struct queued {
    struct task *task; /* NULL: its client has gone, nobody wants the result */
    uint32_t item;
    uint32_t number;
};

enum worker_state {
    WORKER_STARTING, /* forked, not connected */
    WORKER_READY,
    WORKER_ENDED,    /* END was sent */
    WORKER_LOST      /* its connection has ended; waiting for its exit status */
};

struct worker {
    uint32_t id;
    enum worker_state state;
    struct range own;
    struct queued *queue; /* sent and without a result, in order */
    size_t queued, queue_cap;
    uint32_t depth;       /* how many items to keep queued */
    uint32_t done;        /* results so far */
    int64_t busy_ns, last_ns; /* for the mean time of an item; last result or start of idle */
    uint32_t timed;
    bool held;            /* HOLD was sent, no work since */
    bool old;             /* of a session that has been replaced, or doomed: gets nothing more */
    bool kept;            /* KEEP: its time slice never ends */
    bool spent;           /* SPENT: its time slice is over */
    bool full;            /* it has too much memory: it gets nothing more, whatever it has set up */
    bool laned;           /* it holds a lane: its time slice never ends */
    int64_t ready_ns;     /* when its time slice began */
    const struct task *last; /* the task of its last range; may be gone */
    bool serves;          /* it is the session itself */
    bool replica;         /* it is an interpreter of its own, our child */
    bool gone;            /* said GONE */
    bool has_status;
    uint32_t status;      /* wait status */
    int64_t deadline_ns;  /* of the state it is in; 0 = none */
    bool terminated;      /* SIGTERM was sent by us */
    uint32_t seen;        /* number + 1 of the item that it was last seen to run */
    int64_t seen_ns;      /* ... since when, at most */
    uint64_t resident;    /* bytes, when it was last looked at */
    int64_t memory_ns;    /* when to look again */
    int64_t look_ns;      /* when to look whether it is stopped */
    int64_t stopped_ns;   /* since when it is; 0 = it is not */
    int64_t limit_ns;     /* the worker's own LIMIT: when its running item has to end; 0 = none */
    uint32_t limit_ms;    /* ... and what it was */
    uint32_t doom_ms;     /* its running item has reached this limit: it is being ended */
    bool doom_batch;      /* which was the batch's */
    bool doom_stopped;    /* it did not run at all */
    uint32_t notices;     /* how often its running item was told of as slow */
    pid_t pid;
    uint64_t ticks;       /* CPU time at the last sample */
    void *peer;           /* the pool's connection */
    struct worker *next;
};

/* These must not call back into the scheduler. */
struct sched_ops {
    void (*run)(void *ctx, struct worker *w, const uint32_t *numbers, uint32_t n);
    void (*hold)(void *ctx, struct worker *w);
    void (*end)(void *ctx, struct worker *w);
    bool (*fork)(void *ctx, struct worker *w); /* false: not possible now */
    void (*result)(void *ctx, struct task *t, uint32_t item, uint8_t outcome, struct str json);
    void (*attempt)(void *ctx, struct task *t, uint32_t item, struct str json); /* it failed, and is tried again */
    void (*task_done)(void *ctx, struct task *t); /* last use of t */
    uint64_t *(*until)(void *ctx, const struct task *t); /* until_us, malloc'ed; NULL: not known */
};

struct sched {
    const struct sched_ops *ops;
    void *ctx;
    struct task *tasks;      /* in order of arrival */
    struct range *pending;
    struct worker *workers;
    uint32_t *holders;       /* of lanes: ids of workers, 0 = nobody */
    size_t n_holders;
    uint32_t limit;          /* of workers that are at work */
    uint32_t last_id;
    bool whole;              /* a module stays in one process: nothing is stolen */
    bool serves_on;          /* a worker serves as long as the run: no time slices */
    bool per_test;           /* a process for each item */
    bool per_module;         /* a worker is made for one range, which it has before it is forked */
    bool alone;              /* one process at a time */
    uint32_t retries;        /* how often an item is tried again that has taken its worker down */
    bool all_asked;          /* nothing more will come: workers may END */
    int64_t slice_ns;        /* after so long a worker gets no other module; 0: it serves on */
    int64_t now_ns;          /* the caller sets it before each call */
};

/* cuts of a module from its groups; out has n bytes. */
void sched_cuts(const uint32_t *groups, uint32_t n, uint8_t *out);

/* Adds a task with n >= 1 items; the longest go first, as far as cost_ms is known. lanes (n of them, the caller's) may
 * be NULL. */
struct task *sched_add(struct sched *s, void *owner, uint32_t module, uint32_t first, uint32_t n,
                       const uint8_t *cuts, const uint32_t *lanes, uint32_t cost_ms);
/* The same for some items only (ascending), whatever their lane. */
struct task *sched_add_some(struct sched *s, void *owner, uint32_t module, uint32_t first, uint32_t n,
                            const uint8_t *cuts, const uint32_t *items, uint32_t n_items);
/* Ends a new task at once when nothing of it is to run now. */
void sched_begin(struct sched *s, struct task *t);
void sched_ready(struct sched *s, struct worker *w); /* it has connected */
void sched_need(struct sched *s, struct worker *w);
void sched_idle(struct sched *s, struct worker *w);
/* False: the worker does not have that item. */
bool sched_result(struct sched *s, struct worker *w, uint32_t number, uint8_t outcome,
                  struct str json);
/* The worker's running item failed, and it tries again. False: it does not run that item. */
bool sched_attempt(struct sched *s, struct worker *w, uint32_t number, struct str json);
/* The worker is over: its running item fails with the JSON result `json` (empty: it is run again
 * elsewhere), the rest is queued again, the worker is freed. */
void sched_remove(struct sched *s, struct worker *w, struct str json);
/* The first item of the worker's queue, which it runs now (see sched_runs), or NULL. */
struct queued *sched_running(struct worker *w);
/* The worker runs this item of its queue now: the results of those before it are on their way. */
void sched_runs(struct worker *w, uint32_t number);
/* Its running item is to fail: the worker gets nothing more, and what it still sends does not count. */
void sched_doom(struct sched *s, struct worker *w, uint32_t limit_ms);
/* The worker ends after what it was sent; others run the rest, where the module may be cut. */
void sched_recycle(struct sched *s, struct worker *w);
/* Fails what has no result of the task and is not running now. */
void sched_fail_rest(struct sched *s, struct task *t, struct str json);
void sched_drop(struct sched *s, const void *owner); /* forgets the tasks of an owner */
/* Ends all tasks as partial, with task_done, and the workers: what is run after that begins in new ones. */
void sched_stop(struct sched *s);
/* Ends a task now: the items without a result fail with `json`. */
void sched_fail(struct sched *s, struct task *t, struct str json);
/* The session of all present workers is over: they get nothing more, what they were not sent is
 * pending again. */
void sched_retire(struct sched *s);
/* Forks the first worker before there is work for it. */
void sched_prefork(struct sched *s);
/* Gives idle workers work and forks more: after every round of events. */
void sched_balance(struct sched *s);
bool sched_has_work(const struct sched *s); /* pending or worth stealing: one more worker helps */
uint32_t sched_live(const struct sched *s); /* workers that are neither ended nor lost */
bool sched_all_busy(const struct sched *s);
struct worker *sched_find(const struct sched *s, uint32_t id);
struct worker *sched_new_worker(struct sched *s);
void sched_release(struct sched *s);

#endif
