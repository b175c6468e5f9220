#include "runtime/report/pytest_cache.h"

#include "runtime/report/model.h"
#include "runtime/wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MAX_BYTES = 256 << 20 };

/* ---- sets ---- */

bool id_set_has(const struct id_set *s, struct str id)
{
    return map_get(&s->at, id) != NULL && *map_get(&s->at, id) != 0;
}

void id_set_add(struct id_set *s, struct str id)
{
    if (id_set_has(s, id))
        return;
    struct str own = {arena_dup(&s->arena, id.p ? id.p : "", id.n), id.n};
    strs_add(&s->list, own);
    *map_put(&s->at, own, NULL) = s->list.n;
}

bool id_set_remove(struct id_set *s, struct str id)
{
    uintptr_t *at = map_get(&s->at, id);
    if (!at || !*at)
        return false;
    s->list.items[*at - 1].p = NULL;
    *at = 0;
    return true;
}

size_t id_set_count(const struct id_set *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->list.n; i++)
        n += s->list.items[i].p != NULL;
    return n;
}

void id_set_release(struct id_set *s)
{
    strs_release(&s->list);
    map_release(&s->at);
    arena_release(&s->arena);
}

/* ---- reading ---- */

static bool read_value(struct str dir, const char *name, struct buf *text)
{
    struct buf path = {0};
    buf_str(&path, dir);
    buf_printf(&path, "/v/cache/%s", name);
    bool ok = dir.n && io_read(path.p, MAX_BYTES, text, NULL);
    buf_release(&path);
    return ok;
}

bool pytest_cache_ids(struct str dir, const char *name, struct id_set *out)
{
    struct buf text = {0}, id = {0};
    bool ok = read_value(dir, name, &text);
    struct json j = json_of(buf_view(&text));
    if (ok && json_peek(&j) == '{' && json_enter(&j, '{')) {
        while (json_key(&j, &id)) {
            id_set_add(out, buf_view(&id));
            json_skip(&j);
        }
    } else if (ok && json_enter(&j, '[')) {
        while (json_item(&j)) {
            buf_clear(&id);
            if (json_string(&j, &id))
                id_set_add(out, buf_view(&id));
        }
    }
    ok = ok && json_done(&j);
    if (!ok)
        id_set_release(out), *out = (struct id_set){0};
    buf_release(&text);
    buf_release(&id);
    return ok;
}

/* "2025-01-31T12:00:00.123456", local time. */
static int64_t read_date(struct str text)
{
    struct tm tm = {.tm_isdst = -1};
    if (text.n < 19 || sscanf(text.p, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
                              &tm.tm_min, &tm.tm_sec) != 6)
        return 0;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    return (int64_t)mktime(&tm);
}

static struct str read_text(struct json *j, struct buf *b, struct arena *a)
{
    buf_clear(b);
    if (json_peek(j) != '"') {
        json_skip(j);
        return STR("");
    }
    return json_string(j, b) ? (struct str){arena_dup(a, b->p ? b->p : "", b->n), b->n} : STR("");
}

void pytest_cache_stepwise(struct str dir, struct arena *a, struct pytest_stepwise *out)
{
    struct buf text = {0}, key = {0}, value = {0};
    *out = (struct pytest_stepwise){.last_failed = STR(""), .last_count = -1};
    bool ok = read_value(dir, "stepwise", &text);
    struct json j = json_of(buf_view(&text));
    uint32_t count;
    if (ok && json_peek(&j) == '"')
        out->last_failed = read_text(&j, &value, a);
    else if (ok && json_peek(&j) == '{' && json_enter(&j, '{'))
        while (json_key(&j, &key)) {
            struct str name = buf_view(&key);
            if (str_eq(name, STR("last_failed")))
                out->last_failed = read_text(&j, &value, a);
            else if (str_eq(name, STR("last_cache_date_str")))
                out->saved_s = read_date(read_text(&j, &value, a));
            else if (str_eq(name, STR("last_test_count")) && json_peek(&j) != 'n')
                out->last_count = json_u32(&j, &count) ? (int64_t)count : -1;
            else
                json_skip(&j);
        }
    buf_release(&text);
    buf_release(&key);
    buf_release(&value);
}

/* ---- writing ---- */

static bool write_file(struct str dir, const char *name, const char *text, struct err *err)
{
    struct buf path = {0};
    path_join(&path, dir, str_z(name));
    bool ok = io_replace(path.p, str_z(text), err);
    buf_release(&path);
    return ok;
}

/* What pytest puts beside its cache: version control and backups leave it out. */
static bool make_dir(struct str dir, struct err *err)
{
    struct buf path = {0};
    buf_str(&path, dir);
    bool fresh = io_stat_path(path.p).kind == IO_ABSENT;
    buf_z(&path, "/v/cache");
    bool ok = io_mkdirs(path.p, err);
    buf_release(&path);
    if (!ok || !fresh)
        return ok;
    return write_file(dir, ".gitignore", "# Created by fastest for pytest's cache.\n*\n", err) &&
           write_file(dir, "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n"
                                           "# A cache directory of pytest, which fastest keeps in step.\n", err) &&
           write_file(dir, "README.md", "# pytest's cache directory\n\nThe state of pytest's --lf, --ff, --nf and --sw. Do "
                                        "not commit this to version control.\n", err);
}

static bool save(struct str dir, const char *name, const struct buf *text, struct err *err)
{
    struct buf path = {0};
    buf_str(&path, dir);
    buf_printf(&path, "/v/cache/%s", name);
    bool ok = make_dir(dir, err) && io_replace_if_changed(path.p, buf_view(text), NULL, err);
    buf_release(&path);
    return ok;
}

static bool save_failed(struct str dir, const struct id_set *s, struct err *err)
{
    struct buf b = {0};
    bool any = false;
    for (size_t i = 0; i < s->list.n; i++) {
        if (!s->list.items[i].p)
            continue;
        buf_z(&b, any ? ",\n  " : "{\n  ");
        json_quote(&b, s->list.items[i]);
        buf_z(&b, ": true");
        any = true;
    }
    buf_z(&b, any ? "\n}" : "{}");
    bool ok = save(dir, "lastfailed", &b, err);
    buf_release(&b);
    return ok;
}

static bool save_ids(struct str dir, struct id_set *s, struct err *err)
{
    struct buf b = {0};
    strs_sort(&s->list); /* the map's indices hold no longer */
    for (size_t i = 0; i < s->list.n; i++) {
        buf_z(&b, i ? ",\n  " : "[\n  ");
        json_quote(&b, s->list.items[i]);
    }
    buf_z(&b, s->list.n ? "\n]" : "[]");
    bool ok = save(dir, "nodeids", &b, err);
    buf_release(&b);
    return ok;
}

static void put_now(struct buf *b)
{
    struct timespec now;
    struct tm tm;
    char text[40] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(b, "%s.%06ld", text, now.tv_nsec / 1000);
}

static bool empty_stepwise(struct str dir, struct err *err)
{
    struct buf text = {0};
    bool old = read_value(dir, "stepwise", &text) && str_starts(str_trim(buf_view(&text)), STR("\""));
    buf_clear(&text);
    buf_z(&text, "[]");
    bool ok = !old || save(dir, "stepwise", &text, err);
    buf_release(&text);
    return ok;
}

bool pytest_cache_save_stepwise(struct str dir, const struct pytest_stepwise *s, uint32_t pytest, struct err *err)
{
    struct buf b = {0}, id = {0};
    if (!dir.n || !s)
        return !dir.n || empty_stepwise(dir, err);
    if (s->last_failed.n)
        json_quote(&id, s->last_failed);
    else
        buf_z(&id, "null");
    if (pytest < 804) {
        buf_str(&b, buf_view(&id));
    } else {
        buf_printf(&b, "{\n  \"last_failed\": %s,\n  \"last_test_count\": %" PRId64 ",\n  \"last_cache_date_str\": \"",
                   id.p, s->last_count);
        put_now(&b);
        buf_z(&b, "\"\n}");
    }
    bool ok = save(dir, "stepwise", &b, err);
    buf_release(&b);
    buf_release(&id);
    return ok;
}

void pytest_cache_clear(struct str dir)
{
    struct buf path = {0};
    static const char *const names[] = {"d", "v"};
    for (size_t i = 0; dir.n && i < sizeof names / sizeof *names; i++) {
        buf_clear(&path);
        path_join(&path, dir, str_z(names[i]));
        io_remove_tree(path.p);
    }
    buf_release(&path);
}

/* ---- after a run ---- */

struct update {
    struct id_set failed, ids;
    bool all_ids;     /* nothing was known: cached modules count, too */
    bool changed, ids_changed;
};

static void set_failed(struct update *u, struct str id, bool failed)
{
    if (!failed) {
        u->changed = id_set_remove(&u->failed, id) || u->changed;
    } else if (!id_set_has(&u->failed, id)) {
        id_set_add(&u->failed, id);
        u->changed = true;
    }
}

/* LFPlugin.pytest_collectreport: what could not be collected failed; when it can, its tests count as failed. */
static void take_collection(struct update *u, const struct report_module *m, struct str rel)
{
    if (m->meta.error) {
        set_failed(u, m->meta.error->id.p ? m->meta.error->id : rel, true);
        return;
    }
    if (!id_set_has(&u->failed, rel))
        return;
    set_failed(u, rel, false);
    for (uint32_t i = 0; i < m->meta.n_items; i++)
        set_failed(u, m->meta.items[i].id, true);
}

static void take_module(struct update *u, const struct plan *plan, uint32_t i)
{
    struct report_module m;
    report_module_load(&m, plan, i);
    struct str rel = i < plan->n_modules ? plan->modules[i].rel : STR("@other");
    if (m.state != MODULE_NOT_RUN) {
        take_collection(u, &m, rel);
        for (uint32_t k = 0; k < m.record.n_results; k++) {
            const struct record_result *r = &m.record.results[k];
            if (r->item < m.meta.n_items)
                set_failed(u, m.meta.items[r->item].id, r->outcome == OUT_FAILED || r->outcome == OUT_ERROR);
        }
        for (uint32_t k = 0; k < m.meta.n_items; k++)
            if (!id_set_has(&u->ids, m.meta.items[k].id)) {
                id_set_add(&u->ids, m.meta.items[k].id);
                u->ids_changed = true;
            }
    }
    report_module_release(&m);
}

/* Of cached modules only those are looked at of which something is said to have failed. */
static void failed_modules(const struct update *u, struct map *out)
{
    for (size_t i = 0; i < u->failed.list.n; i++) {
        struct str id = u->failed.list.items[i];
        const char *colons = id.p ? memmem(id.p, id.n, "::", 2) : NULL;
        if (id.p)
            *map_put(out, colons ? (struct str){id.p, (size_t)(colons - id.p)} : id, NULL) = 1;
    }
}

bool pytest_cache_update(const struct plan *plan, struct err *err)
{
    struct str dir = plan->options.pytest_cache;
    struct update u = {0};
    struct map doubtful = {0};
    bool ok = true;
    if (!dir.n)
        return true;
    pytest_cache_ids(dir, "lastfailed", &u.failed);
    struct buf path = {0};
    path_join(&path, dir, STR("v/cache/nodeids"));
    u.all_ids = io_stat_path(path.p).kind == IO_ABSENT;
    buf_release(&path);
    failed_modules(&u, &doubtful);
    bool read = false;
    uint32_t n = report_module_count(plan);
    for (uint32_t i = 0; i < n; i++) {
        bool ran = i >= plan->n_modules || plan->modules[i].stale;
        if (!ran && !u.all_ids && !map_get(&doubtful, plan->modules[i].rel))
            continue;
        if (!read)
            pytest_cache_ids(dir, "nodeids", &u.ids);
        read = true;
        take_module(&u, plan, i);
    }
    if (u.changed)
        ok = save_failed(dir, &u.failed, err);
    if (ok && u.ids_changed)
        ok = save_ids(dir, &u.ids, err);
    map_release(&doubtful);
    id_set_release(&u.failed);
    id_set_release(&u.ids);
    return ok;
}
