#include "runtime/cli/watch_changes.h"

#include "generator/files/tree.h"
#include "generator/graph/record.h"
#include "runtime/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

enum { QUIET_MS = 10, WRITER_MS = 100, MOST_MS = 500, TIRED = 3 };

static struct str keep(struct changes *c, struct str s)
{
    return (struct str){arena_dup(&c->arena, s.p, s.n), s.n};
}

/* ---- directories ---- */

static bool add_dir(struct changes *c, struct str dir, struct err *err)
{
    if (map_get(&c->dirs, dir))
        return true;
    *map_put(&c->dirs, keep(c, dir), NULL) = 1;
    c->n_dirs++;
    return notify_add(c->notify, dir, err);
}

/* dir and what is below it; a file made before its directory is watched is found by the run that follows. */
static bool add_tree(struct changes *c, struct str dir, struct err *err)
{
    struct dirs d = {0};
    struct strs found = {0};
    bool ok = true;
    tree_directories(&d, dir, &found);
    for (size_t i = 0; ok && i < found.n; i++)
        ok = add_dir(c, found.items[i], err);
    strs_release(&found);
    dirs_release(&d);
    return ok;
}

bool changes_open(struct changes *c, struct str root, struct err *err)
{
    *c = (struct changes){.notify = notify_open(err)};
    return c->notify && add_tree(c, root, err);
}

void changes_close(struct changes *c)
{
    notify_close(c->notify);
    map_release(&c->dirs);
    strs_release(&c->paths);
    map_release(&c->seen);
    map_release(&c->repeated);
    map_release(&c->keys);
    arena_release(&c->arena);
}

/* ---- events ---- */

/* Names with which editors and Python keep what is nobody's source. */
static bool is_noise(struct str name)
{
    static const char *const ends[] = {"~", ".swp", ".swx", ".swpx", ".pyc", ".tmp"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(name, str_z(ends[i])))
            return true;
    return !name.n || name.p[0] == '.' || name.p[0] == '#' || str_eq(name, STR("__pycache__")) ||
           str_eq(name, STR("node_modules")) || str_eq(name, STR("4913")); /* vim looks with it whether it may write */
}

static void take(void *ctx, enum notify_what what, struct str path)
{
    struct changes *c = ctx;
    struct err ignored;
    c->lost = c->lost || what == NOTIFY_LOST;
    if (what == NOTIFY_LOST || is_noise(path_base(path)))
        return;
    if (what == NOTIFY_DIR)
        add_tree(c, path, &ignored);
    uintptr_t *at = map_get(&c->seen, path);
    bool known = at != NULL; /* gone again: it was a file on the way to another name */
    if (!known) {
        strs_add(&c->paths, keep(c, path));
        at = map_put(&c->seen, c->paths.items[c->paths.n - 1], NULL);
    }
    *at = what == NOTIFY_MADE || (what == NOTIFY_GONE && !known);
}

static bool is_being_written(const struct changes *c)
{
    for (size_t i = 0; i < c->paths.n; i++)
        if (*map_get(&c->seen, c->paths.items[i]))
            return true;
    return false;
}

static bool any(const struct changes *c)
{
    return c->paths.n || c->lost;
}

/* Until nothing has come for a moment; for a file that is being replaced it may take somewhat longer. */
static void settle(struct changes *c)
{
    int64_t end = clock_mono_ns() + MOST_MS * INT64_C(1000000);
    struct pollfd p = {.fd = notify_fd(c->notify), .events = POLLIN};
    while (clock_mono_ns() < end && poll(&p, 1, is_being_written(c) ? WRITER_MS : QUIET_MS) > 0)
        notify_read(c->notify, take, c);
}

bool changes_wait(struct changes *c, int fd)
{
    struct pollfd p[] = {{.fd = notify_fd(c->notify), .events = POLLIN}, {.fd = fd, .events = POLLIN}};
    if (poll(p, 2, -1) < 0)
        return false;
    if (p[0].revents)
        notify_read(c->notify, take, c);
    if (!any(c))
        return false;
    map_release(&c->repeated); /* somebody saves while nothing runs */
    settle(c);
    return true;
}

bool changes_during_run(struct changes *c)
{
    bool fresh = c->lost;
    changes_taken(c);
    notify_read(c->notify, take, c);
    for (size_t i = 0; i < c->paths.n; i++)
        fresh = ++*map_put(&c->repeated, c->paths.items[i], NULL) < TIRED || fresh;
    if (!fresh)
        changes_taken(c);
    else
        settle(c);
    return fresh && any(c);
}

void changes_taken(struct changes *c)
{
    map_release(&c->seen);
    c->paths.n = 0;
    c->lost = false;
}

/* ---- do they matter? ---- */

/* A module that failed, or always runs, is stale however often it runs: is it as it was then? */
static bool is_as_it_ran(const struct plan *plan, const struct plan_module *m)
{
    struct record r;
    if (!record_load(&r, m->record.p, plan->root, true))
        return false;
    bool same = !(r.flags & REC_CHANGED) && (!(r.flags & REC_ALL_SOURCES) || hash128_eq(r.sources, plan->sources));
    for (uint32_t i = 0; same && i < r.n_deps; i++)
        same = record_dep_holds(&r.deps[i]);
    record_release(&r);
    return same;
}

static bool concerns(struct changes *c, const struct plan *plan, const struct plan_module *m)
{
    const uintptr_t *key = map_get(&c->keys, m->rel);
    bool same_key = key && hash128_eq(*(const struct hash128 *)*key, m->key);
    return m->stale && !(same_key && is_as_it_ran(plan, m));
}

static void note(struct changes *c, const struct plan *plan)
{
    struct err ignored;
    for (uint32_t i = 0; i < plan->n_modules; i++) {
        uintptr_t *slot = map_get(&c->keys, plan->modules[i].rel);
        if (!slot)
            slot = map_put(&c->keys, keep(c, plan->modules[i].rel), NULL);
        struct hash128 *key = *slot ? (struct hash128 *)*slot : arena_alloc(&c->arena, sizeof *key);
        *key = plan->modules[i].key;
        *slot = (uintptr_t)key;
    }
    for (uint32_t i = 0; i < plan->n_files; i++)
        add_dir(c, path_dir(plan->files[i].path), &ignored);
}

bool changes_concern(struct changes *c, const struct plan *plan)
{
    bool yes = plan->other;
    for (uint32_t i = 0; i < plan->n_modules && !yes; i++)
        yes = concerns(c, plan, &plan->modules[i]);
    note(c, plan);
    return yes;
}
