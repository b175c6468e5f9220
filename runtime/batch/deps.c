#include "runtime/batch/deps.h"

#include "generator/files/pyname.h"
#include "runtime/wire/json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPS = 1000000 };

void deps_common_release(struct deps_common *c)
{
    free((char *)(uintptr_t)c->path.p);
    code_release(&c->before);
    if (c->loaded)
        executed_release(&c->blocks);
    memset(c, 0, sizeof *c);
}

void deps_init(struct deps *d, const struct plan *plan, const struct plan_module *module, struct deps_common *common)
{
    memset(d, 0, sizeof *d);
    d->common = common;
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

/* What the session ran before the tests, in a file: it is the same for all modules. */
static void read_before(struct deps_common *c, struct str path)
{
    struct buf text = {0};
    if (str_eq(c->path, path))
        return;
    free((char *)(uintptr_t)c->path.p);
    code_release(&c->before);
    char *own = xmalloc(path.n + 1);
    memcpy(own, path.p, path.n);
    own[path.n] = '\0';
    c->path = (struct str){own, path.n};
    struct json j;
    c->traced = io_read(own, 0, &text, NULL) && (j = json_of(buf_view(&text)), code_scan(&c->before, &j)) && json_done(&j);
    buf_release(&text);
}

static bool scan_shared(struct deps *d, struct json *j)
{
    struct buf path = {0};
    bool ok = json_string(j, &path);
    if (ok && path.n) {
        read_before(d->common, buf_view(&path));
        d->traced = d->common->traced;
    }
    buf_release(&path);
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
            code_add(&d->code, buf_view(&path));
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
        return code_scan(&d->code, j);
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

bool deps_there(struct str json)
{
    return str_contains(json, STR("\"deps\""));
}

struct str deps_without(struct str text, struct arena *a)
{
    if (!deps_there(text))
        return text;
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

static void add_beside(struct deps *d, const struct code *code, const struct map *planned)
{
    for (size_t i = 0; i < code->paths.cap; i++) {
        struct str path = code->paths.slots[i].key;
        if (code->paths.slots[i].value && !map_get(&d->closure, path) && !map_get(planned, path))
            add(d, DEP_FILE, path);
    }
}

void deps_beside(struct deps *d, const struct plan *plan, const struct plan_module *module)
{
    struct map planned = {0};
    bool dynamic = false;
    for (uint32_t i = 0; i < module->n_files; i++)
        dynamic = dynamic || plan->files[module->files[i]].flags & FILE_DYNAMIC;
    for (uint32_t i = 0; dynamic && i < plan->n_modules; i++)
        *map_put(&planned, plan->modules[i].path, NULL) = 1;
    if (dynamic) {
        add_beside(d, &d->code, &planned);
        add_beside(d, &d->common->before, &planned);
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

static size_t name_lines(const struct blocks *b, const struct code_lines *l, uint64_t *names)
{
    size_t n = 0;
    for (size_t i = 0; l && i < l->n; i++) {
        uint32_t at = l->items[i] ? blocks_at(b, l->items[i]) : b->n;
        if (at < b->n)
            names[n++] = blocks_get(b, at).name;
    }
    return n;
}

static size_t count(const struct code_lines *l)
{
    return l ? l->n : 0;
}

/* The blocks that begin on these lines, or around them, and those of another choice. */
static void choose(const struct blocks *b, const struct code_lines *l, const struct code_lines *before, struct str old,
                   struct buf *choice)
{
    uint64_t *names = xmalloc((count(l) + count(before) + old.n / BLOCKS_CHOICE_BYTES + 1) * sizeof *names);
    size_t n = 0;
    while (blocks_chosen(&old, &names[n]))
        n++;
    n += name_lines(b, l, names + n);
    n += name_lines(b, before, names + n);
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
    const struct code_lines *l = code_find(&d->code, f->path), *before = code_find(&d->common->before, f->path);
    struct blocks b;
    struct buf choice = {0};
    bool loaded = l || before || code_has_base(&d->code, f->path) || code_has_base(&d->common->before, f->path);
    bool seen = count(l) || count(before);
    bool told = old && !hash128_is_zero(old->hash);
    if (!(f->flags & FILE_WHOLE) && !loaded && !old)
        return false;
    bool whole = f->flags & FILE_WHOLE || d->blind || (d->unites && old && !told);
    if (!whole && (loaded ? seen : told) && blocks_open(&b, packed)) {
        choose(&b, l, before, told ? old->choice : STR(""), &choice);
        blocks_hash(&b, buf_view(&choice), &e->hash);
        e->choice = keep(r, buf_view(&choice));
    }
    buf_release(&choice);
    return true;
}

bool deps_executed(const struct deps *d, const struct plan *plan, const struct plan_module *module,
                   const struct record *last, struct record *r)
{
    struct deps_common *common = d->common;
    const struct executed_blocks *x = &common->blocks;
    struct map before = {0};
    for (uint32_t i = 0; i < module->n_files; i++)
        if (plan->files[module->files[i]].flags & FILE_OPAQUE)
            return false;
    if (!d->traced || !(code_find(&d->code, module->path) || code_find(&common->before, module->path)))
        return false;
    if (!common->asked)
        common->loaded = executed_load(&common->blocks, plan);
    common->asked = true;
    if (!common->loaded)
        return false;
    for (uint32_t i = 0; (d->random || d->unites) && last && i < last->n_executed; i++)
        *map_put(&before, last->executed[i].path, NULL) = (uintptr_t)&last->executed[i];
    r->executed = arena_array(&r->arena, module->n_files, sizeof *r->executed);
    for (uint32_t i = 0; i < module->n_files; i++) {
        uint32_t file = module->files[i];
        struct record_executed *e = &r->executed[r->n_executed];
        struct str path = pyname_below(plan->files[file].path, plan->root);
        const uintptr_t *old = map_get(&before, path);
        if (!x->packed[file].n || !fill_executed(d, &plan->files[file], x->packed[file],
                                                old ? (const struct record_executed *)*old : NULL, r, e))
            continue;
        e->path = keep(r, path);
        e->semantic = x->semantic[file];
        r->n_executed++;
    }
    map_release(&before);
    return true;
}

void deps_release(struct deps *d)
{
    code_release(&d->code);
    map_release(&d->seen);
    map_release(&d->closure);
    free(d->items);
    arena_release(&d->arena);
    memset(d, 0, sizeof *d);
}
