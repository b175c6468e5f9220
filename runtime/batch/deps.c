#include "runtime/batch/deps.h"

#include "runtime/wire/json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPS = 1000000 };

void deps_init(struct deps *d, const struct plan *plan, const struct plan_module *module)
{
    memset(d, 0, sizeof *d);
    for (uint32_t i = 0; module && i < module->n_files; i++)
        *map_put(&d->closure, plan->files[module->files[i]].path, NULL) = 1;
    if (module)
        *map_put(&d->closure, module->path, NULL) = 1;
}

static bool add(struct deps *d, enum record_dep_kind kind, struct str path)
{
    if (path.n == 0 || path.p[0] != '/' || memchr(path.p, '\0', path.n) || d->n >= MAX_DEPS)
        return path.n > 0 && d->n < MAX_DEPS;
    char *key = arena_alloc(&d->arena, path.n + 2);
    bool added;
    key[0] = (char)('0' + (int)kind);
    memcpy(key + 1, path.p, path.n);
    map_put(&d->seen, (struct str){key, path.n + 1}, &added);
    if (!added)
        return true;
    d->items = xgrow(d->items, &d->cap, d->n + 1, sizeof *d->items);
    d->items[d->n++] = (struct record_dep){.path = {key + 1, path.n}, .kind = kind};
    return true;
}

static bool scan_paths(struct deps *d, struct json *j, enum record_dep_kind kind, bool imports)
{
    struct buf path = {0};
    bool ok = json_enter(j, '[');
    while (ok && json_item(j)) {
        buf_clear(&path);
        ok = json_string(j, &path);
        if (ok && !(imports && map_get(&d->closure, buf_view(&path))))
            ok = add(d, kind, buf_view(&path));
    }
    buf_release(&path);
    return ok && !j->bad;
}

static const struct {
    const char *key;
    enum record_dep_kind kind;
    bool imports;
} lists[] = {
    {"open", DEP_FILE, false},
    {"import", DEP_FILE, true},
    {"absent", DEP_ABSENT, false},
    {"dir", DEP_DIR, false},
};

static bool scan_member(struct deps *d, struct json *j, struct str key)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (str_eq(key, str_z(lists[i].key)))
            return scan_paths(d, j, lists[i].kind, lists[i].imports);
    if (str_eq(key, STR("spawn")) && json_peek(j) == 't')
        d->spawned = true;
    return json_skip(j);
}

static bool scan_deps(struct deps *d, struct json *j)
{
    struct buf key = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &key))
        ok = scan_member(d, j, buf_view(&key));
    buf_release(&key);
    return ok && !j->bad;
}

bool deps_scan(struct deps *d, struct str text)
{
    struct json j = json_of(text);
    struct buf key = {0};
    bool ok = json_enter(&j, '{');
    while (ok && json_key(&j, &key)) {
        if (str_eq(buf_view(&key), STR("deps")) && json_peek(&j) == '{') {
            ok = scan_deps(d, &j);
        } else {
            if (str_eq(buf_view(&key), STR("error")) && json_peek(&j) != 'n')
                d->failed = true;
            ok = json_skip(&j);
        }
    }
    buf_release(&key);
    return ok && json_done(&j);
}

static int by_path(const void *a, const void *b)
{
    const struct record_dep *x = a, *y = b;
    int c = str_cmp(x->path, y->path);
    return c ? c : (x->kind > y->kind) - (x->kind < y->kind);
}

bool deps_fill(struct deps *d, int64_t since_ns, struct record *r)
{
    bool changed = false;
    if (d->n)
        qsort(d->items, d->n, sizeof *d->items, by_path);
    r->deps = arena_array(&r->arena, d->n, sizeof *r->deps);
    r->n_deps = (uint32_t)d->n;
    for (size_t i = 0; i < d->n; i++) {
        struct record_dep *dep = &d->items[i];
        uint32_t kind = dep->kind;
        record_dep_fill(dep);
        if (dep->kind != DEP_ABSENT && dep->st.ctime_ns > since_ns)
            changed = true;
        if (kind == DEP_ABSENT && dep->st.kind != IO_ABSENT && dep->st.ctime_ns > since_ns)
            changed = true; /* it has come up meanwhile */
        r->deps[i] = *dep;
        r->deps[i].path.p = arena_dup(&r->arena, dep->path.p, dep->path.n);
    }
    if (d->spawned)
        r->flags |= REC_ALL_SOURCES;
    return changed;
}

void deps_release(struct deps *d)
{
    map_release(&d->seen);
    map_release(&d->closure);
    free(d->items);
    arena_release(&d->arena);
    memset(d, 0, sizeof *d);
}
