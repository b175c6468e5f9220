#include "generator/discover.h"

#include "generator/dirs.h"
#include "generator/discover_cache.h"
#include "generator/hooks.h"
#include "generator/order.h"
#include "generator/plugins.h"
#include "generator/scan.h"
#include "generator/select.h"
#include "runtime/base/clock.h"

#include <fnmatch.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 16, FILES_A_THREAD = 8 };

struct unit {                 /* one file to collect */
    struct str path, relative;
    const struct strs *conftests;
    struct test *tests;
    size_t n, cap;
    uint32_t error_line, error_column;
    struct str error;
};

struct folder {               /* what applies to the tests of a directory */
    struct strs conftests;
};

struct discover_state {
    struct dirs dirs;
    struct strs files, roots;
    struct strs others;       /* directories where a conftest collects other files */
    struct plugins plugins;
    struct map folders, checked; /* directory → struct folder *; conftests whose hooks are known */
    struct unit *units;
    size_t n_units;
    struct stmt_store *store;
    struct world *worlds;
    unsigned n_threads;
    const char *doubt;        /* about every test */
    bool from_records;        /* the answer depends on more than what was read here */
    atomic_size_t next;
    struct buf answer;        /* the cached one, when it holds */
    struct discovered *out;
};

struct job {
    struct discover_state *s;
    struct world *world;
    struct store_reader *reader;
    struct unit *unit;
};

/* ---- files ---- */

/* Directory by directory, names compared byte by byte; a package's __init__.py is first. */
static int compare_paths(struct str a, struct str b)
{
    for (;;) {
        size_t i = str_chr(a, '/'), k = str_chr(b, '/');
        struct str x = str_slice(a, 0, i), y = str_slice(b, 0, k);
        if (!str_eq(x, y)) {
            if (str_eq(x, STR("__init__.py")))
                return -1;
            return str_eq(y, STR("__init__.py")) ? 1 : str_cmp(x, y);
        }
        if (i == a.n || k == b.n)
            return a.n < b.n ? -1 : a.n > b.n;
        a = str_slice(a, i + 1, a.n);
        b = str_slice(b, k + 1, b.n);
    }
}

static int by_path(const void *a, const void *b)
{
    return compare_paths(((const struct str *)a)->p ? *(const struct str *)a : STR(""), *(const struct str *)b);
}

/* The files in the order of the arguments that name them. */
static void order_files(struct discover_state *s)
{
    const struct strs *args = &s->out->config.probe.args;
    struct strs sorted = {0};
    bool *taken = xmalloc(s->files.n + 1);
    memset(taken, 0, s->files.n + 1);
    qsort(s->files.items, s->files.n, sizeof *s->files.items, by_path);
    for (size_t a = 0; a < args->n; a++)
        for (size_t i = 0; i < s->files.n; i++)
            if (!taken[i] && path_under(s->files.items[i], args->items[a])) {
                taken[i] = true;
                strs_add(&sorted, s->files.items[i]);
            }
    for (size_t i = 0; i < s->files.n; i++)
        if (!taken[i])
            strs_add(&sorted, s->files.items[i]);
    strs_release(&s->files);
    s->files = sorted;
    free(taken);
}

static bool has_conftest(struct discover_state *s, struct str dir)
{
    return dir_kind(dirs_open(&s->dirs, dir), STR("conftest.py")) == IO_FILE;
}

/* conftest.py of the directories from confcutdir down to dir. */
static struct folder *folder_of(struct discover_state *s, struct str dir)
{
    struct dir *d = dirs_open(&s->dirs, dir);
    bool added;
    uintptr_t *slot = map_put(&s->folders, d->path, &added);
    if (!added)
        return (struct folder *)*slot;
    struct folder *f = arena_alloc(&s->dirs.arena, sizeof *f);
    *slot = (uintptr_t)f;
    const struct probe *p = &s->out->config.probe;
    struct str chain[128], cut = p->cutdir;
    size_t n = 0;
    for (struct str up = d->path; n < 128 && !probe_is(p->noconftest); up = path_dir(up)) {
        if (cut.n && !str_eq(cut, up) && path_under(cut, up.n ? up : STR("/")))
            break;
        if (has_conftest(s, up.n ? up : STR("/")))
            chain[n++] = dirs_join(&s->dirs, up, STR("conftest.py"));
        if (up.n <= 1)
            break;
    }
    while (n > 0)
        strs_add(&f->conftests, chain[--n]);
    return f;
}

/* With prepend and append, what pytest puts on sys.path: the first directory that is no package. */
static void add_root(struct discover_state *s, struct str dir)
{
    while (dir.n > 1 && dirs_open(&s->dirs, dir)->package)
        dir = path_dir(dir);
    if (!strs_has(&s->roots, dir))
        strs_add(&s->roots, dirs_open(&s->dirs, dir)->path);
}

static void make_units(struct discover_state *s)
{
    const struct probe *p = &s->out->config.probe;
    bool prepend = !str_eq(p->import_mode, STR("importlib"));
    struct str last = STR("");
    s->units = xmalloc((s->files.n + 1) * sizeof *s->units);
    for (size_t i = 0; i < s->files.n; i++) {
        struct buf rel = {0};
        struct unit *u = &s->units[s->n_units++];
        struct str dir = path_dir(s->files.items[i]);
        *u = (struct unit){.path = s->files.items[i]};
        path_relative(&rel, u->path, p->root);
        u->relative = (struct str){arena_dup(&s->dirs.arena, rel.p, rel.n), rel.n};
        u->conftests = &folder_of(s, dir)->conftests;
        if (prepend && !str_eq(dir, last))
            add_root(s, dir);
        last = dir;
        buf_release(&rel);
    }
    for (size_t i = 0; i < s->folders.cap && prepend; i++) {
        const struct folder *f = (const struct folder *)s->folders.slots[i].value;
        for (size_t k = 0; f && k < f->conftests.n; k++)
            add_root(s, path_dir(f->conftests.items[k]));
    }
}

/* ---- collection ---- */

static bool get_statements(void *ctx, struct str path, struct str *packed)
{
    struct job *j = ctx;
    return store_reader_get(j->reader, path, packed);
}

static void add_test(void *ctx, const struct test *t)
{
    struct unit *u = ((struct job *)ctx)->unit;
    u->tests = xgrow(u->tests, &u->cap, u->n + 1, sizeof *u->tests);
    u->tests[u->n++] = *t;
}

/* A text file with doctests is one test. */
static void collect_text(struct job *j, struct unit *u)
{
    struct buf text = {0}, path = {0};
    buf_str(&path, u->path);
    if (io_read(path.p, 0, &text, NULL) && text.n) {
        struct str rest = buf_view(&text), line;
        bool found = false;
        while (!found && str_next(&rest, '\n', &line))
            found = str_starts(str_trim(line), STR(">>> ")) || str_eq(str_trim(line), STR(">>>"));
        struct buf id = {0};
        struct str name = path_base(u->relative);
        buf_printf(&id, "%.*s::%.*s", (int)u->relative.n, u->relative.p, (int)name.n, name.p);
        struct test t = {.id = {arena_dup(&j->world->arena, id.p, id.n), id.n}, .function = name, .class = STR(""),
                         .line = 1, .doubt = j->s->doubt};
        if (found)
            add_test(j, &t);
        buf_release(&id);
    }
    buf_release(&text);
    buf_release(&path);
}

static void collect_unit(struct job *j, struct unit *u)
{
    struct tests_options o = {.relative = u->relative, .conftests = u->conftests, .doubt = j->s->doubt,
                              .plugins = &j->s->plugins.modules, .anyio = j->s->plugins.anyio,
                              .asyncio = j->s->plugins.asyncio};
    j->unit = u;
    if (!str_ends(u->path, STR(".py"))) {
        collect_text(j, u);
        return;
    }
    if (probe_is(j->s->out->config.probe.doctest_modules)) {
        struct test t = {.id = u->relative, .function = STR(""), .class = STR(""), .doubt = "its doctests"};
        add_test(j, &t);
    }
    tests_collect(j->world, u->path, &o, add_test, j);
    struct module *m = world_module(j->world, u->path);
    if (m && m->error_line) {
        u->error_line = m->error_line;
        u->error_column = m->error_column;
        u->error = m->error;
    }
}

static void *work(void *ctx)
{
    struct job *j = ctx;
    struct discover_state *s = j->s;
    for (;;) {
        size_t i = atomic_fetch_add(&s->next, 1);
        if (i >= s->n_units)
            return NULL;
        collect_unit(j, &s->units[i]);
    }
}

static struct job make_job(struct discover_state *s, struct world *w)
{
    *w = (struct world){.config = &s->out->config, .roots = &s->roots, .owned = &s->dirs.owned,
                        .statements = get_statements};
    return (struct job){.s = s, .world = w, .reader = store_reader_new(s->store)};
}

/* What a conftest leaves out, by name or by a pattern (fnmatch on the whole path). */
static void drop_ignored(struct discover_state *s, const struct strs *paths, const struct strs *globs)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_units; i++) {
        bool ignored = false;
        for (size_t k = 0; k < paths->n && !ignored; k++)
            ignored = path_under(s->units[i].path, paths->items[k]);
        for (struct str up = s->units[i].path; up.n > 1 && !ignored && globs->n; up = path_dir(up))
            for (size_t k = 0; k < globs->n && !ignored; k++) {
                char *path = arena_dup(&s->dirs.arena, up.p, up.n);
                char *glob = arena_dup(&s->dirs.arena, globs->items[k].p, globs->items[k].n);
                ignored = fnmatch(glob, path, FNM_NOESCAPE) == 0;
            }
        for (size_t a = 0; a < s->out->config.probe.args.n && ignored; a++) /* an argument always counts */
            ignored = !str_eq(s->out->config.probe.args.items[a], s->units[i].path);
        if (!ignored)
            s->units[n++] = s->units[i];
    }
    s->n_units = n;
}

/* A hook of any conftest sees every item. */
static void check_hooks(struct discover_state *s, struct job *j)
{
    struct strs paths = {0}, globs = {0};
    bool unsure = false;
    j->world->ctx = j;
    plugins_read(j->world, &s->plugins);
    s->doubt = s->plugins.doubt;
    for (size_t i = 0; i < s->plugins.modules.n && !s->doubt; i++)
        s->doubt = hooks_doubt(j->world, world_module(j->world, s->plugins.modules.items[i]));
    for (size_t i = 0; i < s->folders.cap; i++) {
        const struct folder *f = (const struct folder *)s->folders.slots[i].value;
        for (size_t k = 0; f && k < f->conftests.n; k++) {
            struct module *m = world_module(j->world, f->conftests.items[k]);
            if (!m || map_get(&s->checked, m->path))
                continue;
            *map_put(&s->checked, m->path, NULL) = 1;
            if (scope_get(&m->scope, STR("pytest_collect_file")) ||
                scope_get(&m->scope, STR("pytest_collect_directory")))
                strs_add(&s->others, path_dir(m->path));
            hooks_ignored(j->world, m, &paths, &globs, &unsure);
            if (!s->doubt)
                s->doubt = m->error_line ? "a conftest has a syntax error" : hooks_doubt(j->world, m);
        }
    }
    if (unsure && !s->doubt)
        s->doubt = "a conftest's collect_ignore is computed";
    drop_ignored(s, &paths, &globs);
    strs_release(&paths);
    strs_release(&globs);
}

static void collect_all(struct discover_state *s, unsigned threads)
{
    struct job jobs[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    bool started[MAX_THREADS] = {false};
    s->n_threads = threads;
    s->worlds = xmalloc(threads * sizeof *s->worlds);
    for (unsigned i = 0; i < threads; i++) {
        jobs[i] = make_job(s, &s->worlds[i]);
        s->worlds[i].ctx = &jobs[i];
    }
    check_hooks(s, &jobs[0]);
    for (unsigned i = 1; i < threads; i++)
        started[i] = pthread_create(&ids[i], NULL, work, &jobs[i]) == 0;
    work(&jobs[0]);
    for (unsigned i = 0; i < threads; i++) {
        if (started[i])
            pthread_join(ids[i], NULL);
        store_reader_free(jobs[i].reader);
    }
}

/* ---- what a run has recorded ---- */

static const struct test *find_test(const struct unit *u, struct str id)
{
    for (size_t i = 0; i < u->n; i++)
        if (str_eq(u->tests[i].id, id))
            return &u->tests[i];
    return NULL;
}

/* "path::Class::test[x]" → class and function; brackets in a parameter do not count. */
static void split_id(struct test *t, size_t path)
{
    struct str rest = str_slice(t->id, path + 2, t->id.n);
    struct str bare = str_slice(rest, 0, str_chr(rest, '['));
    size_t at = bare.n;
    while (at > 0 && bare.p[at - 1] != ':')
        at--;
    t->function = str_slice(bare, at, bare.n);
    t->class = at >= 2 ? str_slice(bare, 0, at - 2) : STR("");
}

/* The test as the run had it; what the source says about its function still holds. */
static struct test recorded_test(struct discover_state *s, const struct unit *u, const struct discover_item *item)
{
    const struct test *exact = find_test(u, item->id);
    struct arena *a = &s->dirs.arena;
    if (exact && !exact->doubt)
        return *exact;
    struct test t = {.id = {arena_dup(a, item->id.p, item->id.n), item->id.n}, .line = item->line};
    split_id(&t, u->relative.n);
    struct value *marks = arena_array(a, item->n_keywords, sizeof *marks);
    for (uint32_t i = 0; i < item->n_keywords; i++) {
        struct str k = item->keywords[i];
        marks[i] = (struct value){.kind = VALUE_MARK, .text = {arena_dup(a, k.p, k.n), k.n}};
    }
    const struct test *function = find_test(u, str_slice(t.id, 0, str_chr(t.id, '[')));
    if (function) { /* its marks have their arguments */
        t.marks = function->marks;
        t.n_marks = function->n_marks;
        t.line = function->line;
    }
    if (!t.n_marks) {
        t.marks = marks;
        t.n_marks = item->n_keywords;
    }
    return t;
}

static bool is_doubtful(const struct unit *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->tests[i].doubt && !u->tests[i].error)
            return true;
    return false;
}

static void take_records(struct discover_state *s, const struct discover_options *o)
{
    struct discover_item *items;
    uint32_t n;
    for (size_t i = 0; i < s->n_units && o->recorded; i++) {
        struct unit *u = &s->units[i];
        if (!is_doubtful(u) || !o->recorded(o->recorded_ctx, u->path, &items, &n))
            continue;
        struct test *tests = xmalloc((n + 1) * sizeof *tests);
        for (uint32_t k = 0; k < n; k++)
            tests[k] = recorded_test(s, u, &items[k]);
        free(u->tests);
        u->tests = tests;
        u->n = u->cap = n;
        s->from_records = true;
    }
}

/* ---- selection ---- */

/* A class or module whose collection fails gives no tests. */
static void drop_failed(struct unit *u)
{
    size_t n = 0;
    for (size_t i = 0; i < u->n; i++) {
        bool dropped = false;
        for (size_t k = 0; k < u->n && !dropped; k++) {
            const struct test *e = &u->tests[k];
            dropped = e->error && k != i && str_starts(u->tests[i].id, e->id) &&
                      (u->tests[i].id.n == e->id.n ? k < i : u->tests[i].id.p[e->id.n] == ':');
        }
        if (!dropped)
            u->tests[n++] = u->tests[i];
    }
    u->n = n;
}

static bool has_error(const struct unit *u)
{
    for (size_t i = 0; i < u->n; i++)
        if (u->tests[i].error)
            return true;
    return false;
}

/* Is the test what an argument "path::Class::test[x]" names? Paths alone were walked. */
static bool is_named(const struct discover_state *s, const struct unit *u, const struct test *t)
{
    const struct config *c = &s->out->config;
    struct str rest = str_slice(t->id, u->relative.n, t->id.n);
    if (str_starts(rest, STR("::")))
        rest = str_slice(rest, 2, rest.n);
    for (size_t i = 0; i < c->probe.args.n; i++) {
        struct str node = i < c->node_args.n ? c->node_args.items[i] : STR("");
        if (!path_under(u->path, c->probe.args.items[i]))
            continue;
        if (!node.n || str_eq(rest, node))
            return true;
        bool below = str_starts(rest, node) && (rest.p[node.n] == ':' || rest.p[node.n] == '[');
        bool doubtful = t->doubt && (str_starts(node, rest) || !rest.n);
        if (below || doubtful)
            return true;
    }
    return false;
}

static bool is_deselected(const struct discover_state *s, const struct test *t)
{
    const struct strs *d = &s->out->config.deselect;
    for (size_t i = 0; i < d->n; i++)
        if (str_starts(t->id, d->items[i]))
            return true;
    return false;
}

struct selection {
    struct select *keyword, *mark;
};

static void add_path_names(struct strs *names, struct str relative)
{
    struct str rest = relative, part;
    while (str_next(&rest, '/', &part))
        strs_add(names, part);
}

/* KeywordMatcher.from_item: names of the nodes, of the marks, of the function's attributes. */
static bool matches(const struct selection *sel, const struct unit *u, const struct test *t)
{
    struct strs names = {0};
    struct str rest = t->class, part;
    add_path_names(&names, u->relative);
    while (rest.n && str_next(&rest, ':', &part))
        if (part.n)
            strs_add(&names, part);
    size_t tail = t->id.n > t->function.n ? t->id.n : 0;
    for (size_t i = 0; i + t->function.n <= t->id.n; i++)
        if (i >= u->relative.n + 2 && str_starts(str_slice(t->id, i, t->id.n), t->function) && t->id.p[i - 1] == ':') {
            tail = i;
            break;
        }
    if (t->function.n)
        strs_add(&names, str_slice(t->id, tail, t->id.n));
    for (uint32_t i = 0; i < t->n_marks; i++)
        strs_add(&names, t->marks[i].text);
    if (t->n_marks)
        strs_add(&names, STR("pytestmark"));
    struct select_item item = {.names = names.items, .n_names = (uint32_t)names.n, .marks = t->marks,
                               .n_marks = t->n_marks};
    bool yes = (!sel->keyword || select_match(sel->keyword, &item) != 0) &&
               (!sel->mark || select_match(sel->mark, &item) != 0);
    strs_release(&names);
    return yes || t->doubt;
}

/* With prepend, a second module of the same name is not the file that is meant. */
static bool is_shadowed(struct discover_state *s, struct map *names, const struct unit *u)
{
    if (str_eq(s->out->config.probe.import_mode, STR("importlib")) || !str_ends(u->path, STR(".py")))
        return false;
    struct dir *d = dirs_open(&s->dirs, path_dir(u->path));
    if (d->package)
        return false;
    bool added;
    map_put(names, path_base(u->path), &added);
    return !added;
}

static void add_error(struct discovered *d, struct discover_state *s, const struct unit *u)
{
    size_t cap = d->n_errors;
    (void)s;
    d->errors = xgrow(d->errors, &cap, d->n_errors + 1, sizeof *d->errors);
    d->errors[d->n_errors++] = (struct discover_error){u->relative, u->error_line, u->error_column, u->error};
}

static bool select_all(struct discover_state *s, struct err *err)
{
    struct discovered *d = s->out;
    struct selection sel = {0};
    struct map names = {0};
    size_t cap = 0;
    if (d->config.keyword.n && !(sel.keyword = select_new(d->config.keyword, false, err)))
        return false;
    if (d->config.markexpr.n && !(sel.mark = select_new(d->config.markexpr, true, err))) {
        select_free(sel.keyword);
        return false;
    }
    for (size_t i = 0; i < s->n_units; i++) {
        struct unit *u = &s->units[i];
        if (has_error(u))
            drop_failed(u);
        bool shadowed = is_shadowed(s, &names, u);
        if (u->error_line)
            add_error(d, s, u);
        for (size_t k = 0; k < u->n; k++) {
            const struct test *t = &u->tests[k];
            if (!is_named(s, u, t))
                continue;
            if (!t->error && (is_deselected(s, t) || !matches(&sel, u, t))) {
                d->n_deselected++;
                continue;
            }
            d->tests = xgrow(d->tests, &cap, d->n + 1, sizeof *d->tests);
            d->tests[d->n++] = *t;
            if (shadowed && k == 0) {
                d->tests[d->n - 1] = (struct test){.id = u->relative, .function = STR(""), .class = STR(""), .error = true,
                    .doubt = "another module of this name was collected before (import file mismatch)"};
                break;
            }
        }
    }
    order_tests(d->tests, d->n);
    for (size_t i = 0; i < s->others.n; i++) {
        struct buf rel = {0};
        path_relative(&rel, s->others.items[i], d->config.probe.root);
        struct str id = rel.n ? (struct str){arena_dup(&s->dirs.arena, rel.p, rel.n), rel.n} : STR(".");
        d->tests = xgrow(d->tests, &cap, d->n + 1, sizeof *d->tests);
        d->tests[d->n++] = (struct test){.id = id, .function = STR(""), .class = STR(""),
                                         .doubt = "a conftest collects other files"};
        buf_release(&rel);
    }
    map_release(&names);
    select_free(sel.keyword);
    select_free(sel.mark);
    return true;
}

/* ---- the stages in order ---- */

static bool parser_of(const char *option, struct str configured, enum parser_type *out, struct err *err)
{
    struct str name = option ? str_z(option) : configured;
    if (!name.n || str_eq(name, STR("ast")))
        *out = PARSER_AST;
    else if (str_eq(name, STR("regex")))
        *out = PARSER_REGEX;
    else if (str_eq(name, STR("auto")))
        *out = PARSER_AUTO;
    else
        return err_set(err, "--parser %.*s: not a parser; it is ast, regex or auto", (int)name.n, name.p);
    return true;
}

/* A file in the state directory, which is made when there is a cache. */
static void state_path(struct discover_state *s, const struct discover_options *o, const char *name, struct buf *out)
{
    struct err ignored;
    buf_clear(out);
    if (o->generate->state_dir)
        path_join(out, str_z(o->generate->cwd), str_z(o->generate->state_dir));
    else
        path_join(out, s->out->config.probe.root, STR(".fastest"));
    if (!o->no_cache)
        io_mkdirs(out->p, &ignored);
    buf_printf(out, "/%s", name);
}

static void add_keys(struct strs *deps, const struct map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key.p)
            strs_add(deps, m->slots[i].key);
}

/* Everything that the answer was made from. */
static void save_answer(struct discover_state *s, const char *path, struct hash128 question)
{
    struct strs deps = {0};
    add_keys(&deps, &s->dirs.by_path);
    for (unsigned i = 0; i < s->n_threads; i++) {
        add_keys(&deps, &s->worlds[i].modules);
        add_keys(&deps, &s->worlds[i].looked);
    }
    for (size_t i = 0; i < s->files.n; i++)
        strs_add(&deps, s->files.items[i]);
    for (size_t i = 0; i < s->out->config.probe.path.n; i++)
        strs_add(&deps, s->out->config.probe.path.items[i]);
    strs_sort(&deps);
    strs_unique(&deps);
    discover_cache_save(path, question, &deps, s->out, &s->out->warning);
    strs_release(&deps);
}

static unsigned thread_count(const struct discover_options *o, size_t files)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    size_t n = o->threads ? o->threads : (size_t)(cpus < 1 ? 1 : cpus);
    size_t useful = files / FILES_A_THREAD + 1;
    n = n < useful ? n : useful;
    return (unsigned)(n < MAX_THREADS ? n : MAX_THREADS);
}

bool discover(const struct discover_options *o, struct discovered *out, enum exit_code *code, struct err *err)
{
    struct discover_state *s = xmalloc(sizeof *s);
    enum parser_type parser = PARSER_AST;
    struct buf index = {0}, answer = {0};
    memset(s, 0, sizeof *s);
    memset(out, 0, sizeof *out);
    out->state = s;
    s->out = out;
    *code = EXIT_USAGE;
    if (!config_read(&out->config, o->generate, code, err))
        return false;
    *code = EXIT_USAGE;
    if (!parser_of(o->parser, out->config.parser, &parser, err))
        return false;
    struct hash128 question = discover_question(o, &out->config);
    state_path(s, o, "discover.bin", &answer);
    if (!o->no_cache && discover_cache_load(answer.p, question, &s->answer, out)) {
        out->counts.answered = true;
        buf_release(&answer);
        *code = EXIT_PASSED;
        return true;
    }
    dirs_set_up(&s->dirs, &out->config.probe.third, &out->config.probe.args);
    if (!scan_modules(&out->config.probe, &s->dirs, &s->files, err))
        return false;
    order_files(s);
    make_units(s);
    state_path(s, o, "stmts.bin", &index);
    s->store = stmt_store_open(index.p, parser, o->no_cache);
    buf_release(&index);
    collect_all(s, thread_count(o, s->n_units));
    take_records(s, o);
    if (!select_all(s, err))
        return false;
    stmt_store_count(s->store, &out->counts);
    if (!o->no_cache && !s->from_records)
        save_answer(s, answer.p, question);
    buf_release(&answer);
    *code = EXIT_PASSED;
    return true;
}

void discover_release(struct discovered *d)
{
    struct discover_state *s = d->state;
    if (!s)
        return;
    for (unsigned i = 0; i < s->n_threads; i++)
        world_release(&s->worlds[i]);
    free(s->worlds);
    for (size_t i = 0; i < s->n_units; i++)
        free(s->units[i].tests);
    free(s->units);
    for (size_t i = 0; i < s->folders.cap; i++)
        if (s->folders.slots[i].value)
            strs_release(&((struct folder *)s->folders.slots[i].value)->conftests);
    map_release(&s->folders);
    map_release(&s->checked);
    strs_release(&s->files);
    strs_release(&s->roots);
    strs_release(&s->others);
    plugins_release(&s->plugins);
    if (s->store)
        stmt_store_close(s->store, &d->warning);
    buf_release(&s->answer);
    dirs_release(&s->dirs);
    config_release(&d->config);
    free(d->tests);
    free(d->errors);
    free(s);
    memset(d, 0, sizeof *d);
}
