#include "runtime/batch/deps.h"

#include "generator/files/pyname.h"
#include "generator/graph/executed.h"
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

/* The last directory and the name: two paths with the same may be one file behind a symbolic link. */
static struct str base_of(struct str path)
{
    struct str base = path_base(path), dir = path_base(path_dir(path));
    return dir.n && dir.p >= path.p ? (struct str){dir.p, (size_t)(base.p + base.n - dir.p)} : base;
}

static struct code_lines *lines_of_path(struct deps *d, struct str path)
{
    uintptr_t *slot = map_get(&d->code, path);
    if (!slot) {
        struct str own = {arena_dup(&d->arena, path.p, path.n), path.n};
        slot = map_put(&d->code, own, NULL);
        *slot = (uintptr_t)arena_alloc(&d->arena, sizeof(struct code_lines));
        *map_put(&d->bases, base_of(own), NULL) = 1;
    }
    return (struct code_lines *)*slot;
}

static bool scan_lines(struct json *j, struct code_lines *l)
{
    bool ok = json_enter(j, '[');
    while (ok && json_item(j)) {
        uint32_t line;
        ok = json_u32(j, &line);
        l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
        l->items[l->n++] = line;
    }
    return ok && !j->bad;
}

/* {path: [lines]} */
static bool scan_code(struct deps *d, struct json *j)
{
    struct buf path = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &path))
        ok = scan_lines(j, lines_of_path(d, buf_view(&path)));
    buf_release(&path);
    return ok && !j->bad;
}

/* What the session ran before the tests, in a file: it is the same for all modules. */
static bool scan_shared(struct deps *d, struct json *j)
{
    struct buf path = {0}, text = {0};
    bool ok = json_string(j, &path);
    if (ok && io_read(path.p, 0, &text, NULL)) {
        struct json shared = json_of(buf_view(&text));
        d->traced = scan_code(d, &shared) && json_done(&shared);
    }
    buf_release(&path);
    buf_release(&text);
    return ok;
}

static bool scan_paths(struct deps *d, struct json *j, enum record_dep_kind kind, bool imports)
{
    struct buf path = {0};
    bool ok = json_enter(j, '[');
    while (ok && json_item(j)) {
        buf_clear(&path);
        ok = json_string(j, &path);
        if (ok && imports)
            lines_of_path(d, buf_view(&path));
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
    if (str_eq(key, STR("code")))
        return scan_code(d, j);
    if (str_eq(key, STR("shared")))
        return scan_shared(d, j);
    if (str_eq(key, STR("spawn")) && json_peek(j) == 't')
        d->spawned = true;
    if (str_eq(key, STR("blind")) && json_peek(j) == 't')
        d->blind = true;
    if (str_eq(key, STR("random")) && json_peek(j) == 't')
        d->random = true;
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
            if (str_eq(buf_view(&key), STR("always")) && json_peek(&j) == 't')
                d->always = true;
            ok = json_skip(&j);
        }
    }
    buf_release(&key);
    return ok && json_done(&j);
}

struct str deps_without(struct str text, struct arena *a)
{
    struct json j = json_of(text);
    struct buf key = {0}, out = {0};
    bool ok = json_enter(&j, '{'), found = false;
    while (ok && !found && json_key(&j, &key)) {
        found = str_eq(buf_view(&key), STR("deps")) && json_peek(&j) == '{';
        const char *from = j.p;
        ok = json_skip(&j);
        if (!found || !ok)
            continue;
        buf_str(&out, str_slice(text, 0, (size_t)(from - text.p)));
        buf_z(&out, "{}");
        buf_str(&out, str_slice(text, (size_t)(j.p - text.p), text.n));
    }
    struct str cut = found && ok ? (struct str){arena_dup(a, out.p, out.n), out.n} : text;
    buf_release(&key);
    buf_release(&out);
    return cut;
}

static int by_path(const void *a, const void *b)
{
    const struct record_dep *x = a, *y = b;
    int c = str_cmp(x->path, y->path);
    return c ? c : (x->kind > y->kind) - (x->kind < y->kind);
}

void deps_beside(struct deps *d, const struct plan *plan, const struct plan_module *module)
{
    struct map planned = {0};
    bool dynamic = false;
    for (uint32_t i = 0; i < module->n_files; i++)
        dynamic = dynamic || plan->files[module->files[i]].flags & FILE_DYNAMIC;
    for (uint32_t i = 0; dynamic && i < plan->n_modules; i++)
        *map_put(&planned, plan->modules[i].path, NULL) = 1;
    for (size_t i = 0; dynamic && i < d->code.cap; i++) {
        struct str path = d->code.slots[i].key;
        if (d->code.slots[i].value && !map_get(&d->closure, path) && !map_get(&planned, path))
            add(d, DEP_FILE, path);
    }
    map_release(&planned);
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

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The blocks that begin on these lines, or around them, and those of another choice. */
static void choose(const struct blocks *b, const struct code_lines *l, struct str old, struct buf *choice)
{
    uint64_t *names = xmalloc((l->n + old.n / BLOCKS_CHOICE_BYTES + 1) * sizeof *names);
    size_t n = 0;
    while (blocks_chosen(&old, &names[n]))
        n++;
    for (size_t i = 0; i < l->n; i++) {
        uint32_t at = l->items[i] ? blocks_at(b, l->items[i]) : b->n;
        if (at < b->n)
            names[n++] = blocks_get(b, at).name;
    }
    if (n)
        qsort(names, n, sizeof *names, by_value);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || names[i] != names[i - 1])
            blocks_choose(b, names[i], choice);
    free(names);
}

static struct str keep(struct record *r, struct str s)
{
    return (struct str){arena_dup(&r->arena, s.p ? s.p : "", s.n), s.n};
}

/* False: the file was not loaded. old: what an earlier run executed of it, or NULL. */
static bool fill_executed(const struct deps *d, const struct plan_file *f, struct str packed,
                          const struct record_executed *old, struct record *r, struct record_executed *e)
{
    static const struct code_lines none = {0};
    const uintptr_t *slot = map_get(&d->code, f->path);
    const struct code_lines *l = slot ? (const struct code_lines *)*slot : NULL;
    struct blocks b;
    struct buf choice = {0};
    bool loaded = l || map_get(&d->bases, base_of(f->path)), seen = l && l->n;
    bool told = old && !hash128_is_zero(old->hash);
    if (!(f->flags & FILE_WHOLE) && !loaded && !old)
        return false;
    if (!(f->flags & FILE_WHOLE) && (loaded ? seen : told) && !d->blind && blocks_open(&b, packed)) {
        choose(&b, l ? l : &none, told ? old->choice : STR(""), &choice);
        blocks_hash(&b, buf_view(&choice), &e->hash);
        e->choice = keep(r, buf_view(&choice));
    }
    buf_release(&choice);
    return true;
}

bool deps_executed(const struct deps *d, const struct plan *plan, const struct plan_module *module,
                   const struct record *last, struct record *r)
{
    struct executed_blocks x;
    struct map before = {0};
    for (uint32_t i = 0; i < module->n_files; i++)
        if (plan->files[module->files[i]].flags & FILE_OPAQUE)
            return false;
    if (!d->traced || !map_get(&d->code, module->path) || !executed_load(&x, plan))
        return false;
    for (uint32_t i = 0; d->random && last && i < last->n_executed; i++)
        *map_put(&before, last->executed[i].path, NULL) = (uintptr_t)&last->executed[i];
    r->executed = arena_array(&r->arena, module->n_files, sizeof *r->executed);
    for (uint32_t i = 0; i < module->n_files; i++) {
        uint32_t file = module->files[i];
        struct record_executed *e = &r->executed[r->n_executed];
        struct str path = pyname_below(plan->files[file].path, plan->root);
        const uintptr_t *old = map_get(&before, path);
        if (!x.packed[file].n || !fill_executed(d, &plan->files[file], x.packed[file],
                                                old ? (const struct record_executed *)*old : NULL, r, e))
            continue;
        e->path = keep(r, path);
        e->semantic = x.semantic[file];
        r->n_executed++;
    }
    map_release(&before);
    executed_release(&x);
    return true;
}

void deps_release(struct deps *d)
{
    for (size_t i = 0; i < d->code.cap; i++)
        if (d->code.slots[i].value)
            free(((struct code_lines *)d->code.slots[i].value)->items);
    map_release(&d->code);
    map_release(&d->bases);
    map_release(&d->seen);
    map_release(&d->closure);
    free(d->items);
    arena_release(&d->arena);
    memset(d, 0, sizeof *d);
}
