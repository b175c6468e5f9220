#include "runtime/batch/client.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"
#include "runtime/batch/collect.h"
#include "runtime/batch/stamp.h"
#include "runtime/pool/pool.h"
#include "runtime/proc/environ.h"
#include "runtime/proc/signals.h"
#include "runtime/wire/frame.h"
#include "runtime/wire/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ATTEMPTS = 3 };
#define LAST_NS (INT64_C(200) * 1000 * 1000)

struct client {
    struct plan plan;
    const struct plan_batch *batch;
    const char *fastest_path;
    int64_t start_ns;
    uint32_t *pending;           /* modules that have no valid pass and no result of this run */
    uint32_t n_pending;
    struct collect *collects; /* parallel to pending */
    struct deps_common common;
    struct buf lines;         /* for Ninja to show */
    int signal_fd;
    int signal;               /* that ended us */
    int64_t last_ns;          /* until then results may still come */
    bool refused;             /* the pool said ERROR */
};

enum outcome { DONE, LOST, FAILED };

/* ---- what there is to do ---- */

static bool is_other(const struct client *c)
{
    return c->batch->count == 0;
}

/* Loads the module's record: its files for the depfile; true when it is a valid pass. */
static bool check_record(struct client *c, uint32_t module, struct strs *deps, struct arena *a)
{
    struct buf path = {0};
    struct record r;
    const struct plan_module *m = module < c->plan.n_modules ? &c->plan.modules[module] : NULL;
    collect_record_path(&path, &c->plan, module);
    bool valid = false;
    if (record_load(&r, path.p, c->plan.root, true)) {
        valid = m && m->stale ? r.run_id == c->plan.run_id && stamp_valid(&c->plan, m, &r)
                              : m || stamp_valid(&c->plan, m, &r);
        stamp_add_deps(deps, a, &r);
        record_release(&r);
    }
    buf_release(&path);
    return valid;
}

/* Writes the depfile, and .ok when every module of the batch is a valid pass. */
static bool settle(struct client *c, bool fill_pending, struct err *err)
{
    struct strs deps = {0};
    struct arena a = {0};
    uint32_t n = is_other(c) ? 1 : c->batch->count;
    uint32_t first = is_other(c) ? c->plan.n_modules : c->batch->first;
    bool all = true;
    for (uint32_t i = 0; i < n; i++) {
        if (check_record(c, first + i, &deps, &a))
            continue;
        all = false;
        if (fill_pending)
            c->pending[c->n_pending++] = first + i;
    }
    bool ok = true;
    if (all || !fill_pending)
        ok = stamp_depfile(&c->plan, c->batch, &deps, err);
    if (all)
        ok = stamp_ok(&c->plan, c->batch, c->start_ns, err) && ok;
    else
        stamp_remove(&c->plan, c->batch);
    strs_release(&deps);
    arena_release(&a);
    return ok;
}

bool batch_settle(const struct plan *plan, const struct plan_batch *b, int64_t mtime_ns, struct err *err)
{
    struct client c = {.plan = *plan, .batch = b, .start_ns = mtime_ns};
    return settle(&c, false, err);
}

/* ---- talking to the pool ---- */

static bool send_batch(struct client *c, int fd)
{
    struct buf b = {0}, frame = {0};
    uint32_t left = 0;
    pack_u64(&b, c->plan.run_id);
    for (uint32_t i = 0; i < c->n_pending; i++)
        left += !c->collects[i].finished;
    pack_u32(&b, is_other(c) ? 0 : left);
    for (uint32_t i = 0; !is_other(c) && i < c->n_pending; i++)
        if (!c->collects[i].finished)
            pack_u32(&b, c->pending[i]);
    pack_u64(&b, environ_hash());
    frame_add(&frame, WIRE_BATCH, (uint32_t)(c->batch - c->plan.batches), buf_view(&b));
    bool ok = io_write_all(fd, frame.p, frame.n);
    buf_release(&b);
    buf_release(&frame);
    return ok;
}

static struct collect *collect_of(struct client *c, uint32_t module)
{
    for (uint32_t i = 0; i < c->n_pending; i++)
        if (c->pending[i] == module && !c->collects[i].finished)
            return &c->collects[i];
    return NULL;
}

/* The first client that hears of an error says it and leaves it for the summary. */
static void refused(struct client *c, uint32_t code, struct str text)
{
    struct buf b = {0};
    c->refused = true;
    buf_printf(&b, "%u\n", code);
    buf_str(&b, text);
    if (plan_mark(&c->plan, "error", buf_view(&b))) {
        buf_str(&c->lines, text);
        if (text.n && text.p[text.n - 1] != '\n')
            buf_char(&c->lines, '\n');
    }
    buf_release(&b);
}

/* FAILED with err set for a breach of the protocol; DONE ends the conversation. */
static bool handle(struct client *c, const struct frame *f, bool *done, struct err *err)
{
    struct collect *m = collect_of(c, f->tag);
    switch (f->type) {
    case WIRE_MODULE:
        return m ? collect_begin(m, &c->plan, f->tag, f->payload, err)
                 : err_set(err, "the pool sent a module that was not asked for");
    case WIRE_RESULT:
        return m ? collect_result(m, f->payload, err)
                 : err_set(err, "the pool sent a result that was not asked for");
    case WIRE_MODULE_END:
        return m && f->payload.n == 1
                   ? collect_finish(m, (unsigned char)f->payload.p[0], &c->common, &c->lines, err)
                   : err_set(err, "the pool sent a malformed MODULE_END frame");
    case WIRE_BATCH_END:
        *done = true;
        return true;
    case WIRE_ERROR:
        refused(c, f->tag, f->payload);
        *done = true;
        return true;
    default:
        return err_set(err, "the pool sent an unknown frame (%u)", (unsigned)f->type);
    }
}

/* Waits until something can be read; false at a signal, or when nobody reads our output any more:
 * Ninja was killed. What is on its way then has a moment to come. */
static bool wait_readable(struct client *c, int fd)
{
    if (c->signal) {
        struct pollfd last = {.fd = fd, .events = POLLIN};
        return poll(&last, 1, clock_poll_ms(c->last_ns)) > 0;
    }
    struct pollfd p[3] = {{.fd = fd, .events = POLLIN},
                          {.fd = c->signal_fd, .events = POLLIN},
                          {.fd = STDOUT_FILENO}};
    while (poll(p, 3, -1) < 0 && errno == EINTR)
        ;
    if (p[2].revents & (POLLERR | POLLHUP))
        c->signal = SIGHUP;
    if (p[1].revents)
        c->signal = signals_take(c->signal_fd);
    if (c->signal != SIGINT)
        return c->signal == 0;
    c->last_ns = clock_mono_ns() + LAST_NS;
    return wait_readable(c, fd);
}

static enum outcome receive(struct client *c, int fd, bool *progress, struct err *err)
{
    struct frame_in in = {0};
    struct frame f;
    enum outcome outcome = LOST;
    bool done = false;
    for (bool more = true; more;) {
        enum frame_status got = frame_next(&in, &f);
        if (got == FRAME_BAD) {
            err_set(err, "the pool sent what is not a frame");
            outcome = FAILED;
            break;
        }
        if (got == FRAME_NONE) {
            more = wait_readable(c, fd) && frame_fill(&in, fd) > 0;
            continue;
        }
        if (!handle(c, &f, &done, err)) {
            outcome = FAILED;
            break;
        }
        *progress = *progress || f.type == WIRE_MODULE_END;
        if (done) {
            outcome = DONE;
            break;
        }
    }
    frame_in_release(&in);
    return c->signal ? DONE : outcome;
}

static enum outcome converse(struct client *c, bool *progress, struct err *err)
{
    int fd = pool_connect(c->plan.state_dir);
    if (fd < 0)
        return LOST;
    enum outcome outcome = send_batch(c, fd) ? receive(c, fd, progress, err) : LOST;
    close(fd);
    return outcome;
}

/* A pool that ends under us (it was replaced, or it died) is started again for what is left. */
static bool run_pending(struct client *c, struct err *err)
{
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        bool progress = false;
        enum outcome outcome = converse(c, &progress, err);
        if (outcome != LOST)
            return outcome == DONE;
        if (progress)
            attempt = 0;
        if (!pool_ensure(&c->plan, c->fastest_path, NULL, err)) {
            refused(c, EXIT_INTERNAL, str_z(err->msg));
            err->msg[0] = '\0';
            return true;
        }
    }
    refused(c, EXIT_INTERNAL, STR("the pool ends without an answer; see pool.log in the state "
                                  "directory"));
    return true;
}

/* What has a result when a signal ends us is kept, as part of a module. */
static void save_partly(struct client *c)
{
    struct err err = {0};
    for (uint32_t i = 0; i < c->n_pending; i++) {
        struct collect *m = &c->collects[i];
        bool any = false;
        for (uint32_t k = 0; m->begun && !m->finished && k < m->rec.n_items; k++)
            any = any || m->have[k];
        if (any && !collect_finish(m, MODULE_END_PARTIAL, &c->common, &c->lines, &err))
            return;
    }
}

/* ---- the edge ---- */

static int run(struct client *c, struct err *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    if (!settle(c, true, err))
        return EXIT_INTERNAL;
    if (c->n_pending == 0)
        return EXIT_PASSED;
    c->collects = xmalloc(c->n_pending * sizeof *c->collects);
    memset(c->collects, 0, c->n_pending * sizeof *c->collects);
    c->signal_fd = signals_open(signals, sizeof signals / sizeof *signals);
    if (c->signal_fd < 0) {
        err_errno(err, "cannot make a pipe");
        return EXIT_INTERNAL;
    }
    bool ok = run_pending(c, err);
    if (c->signal)
        save_partly(c);
    if (c->lines.n && fwrite(c->lines.p, 1, c->lines.n, stdout) == c->lines.n)
        fflush(stdout);
    if (c->signal)
        return 128 + c->signal;
    return ok && settle(c, false, err) ? EXIT_PASSED : EXIT_INTERNAL;
}

static bool find_batch(struct client *c, const char *state_dir, const char *name, struct err *err)
{
    if (!plan_load(&c->plan, state_dir, err))
        return false;
    c->batch = plan_find_batch(&c->plan, str_z(name));
    return c->batch || err_set(err, "%s: the plan has no such batch; run fastest again", name);
}

int batch_run(const char *state_dir, const char *batch_name, const char *fastest_path,
              struct err *err)
{
    struct client c = {.fastest_path = fastest_path, .start_ns = clock_wall_ns(), .signal_fd = -1};
    int code = EXIT_INTERNAL;
    if (find_batch(&c, state_dir, batch_name, err)) {
        c.pending = xmalloc(((size_t)c.batch->count + 1) * sizeof *c.pending);
        code = plan_marked(&c.plan, "stop", NULL) || plan_marked(&c.plan, "error", NULL)
                   ? EXIT_PASSED
                   : run(&c, err);
    }
    for (uint32_t i = 0; c.collects && i < c.n_pending; i++)
        collect_release(&c.collects[i]);
    free(c.collects);
    free(c.pending);
    deps_common_release(&c.common);
    buf_release(&c.lines);
    if (c.signal_fd >= 0)
        close(c.signal_fd);
    plan_release(&c.plan);
    return code;
}
