#include "generator/collect/discover.h"

#include "generator/collect/discover_cache.h"
#include "generator/collect/discover_state.h"
#include "generator/collect/hooks.h"
#include "generator/collect/scan.h"
#include "runtime/base/thread.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 16, FILES_A_THREAD = 8 };

struct job {
    struct discover_state *s;
    struct world *world;
    struct store_reader *reader;
    struct unit *unit;
};

/* ---- collection ---- */

static bool get_statements(void *ctx, struct str path, struct str *packed)
{
    struct job *j = ctx;
    bool imported = j->unit ? !str_eq(path, j->unit->path) && !strs_has(j->unit->conftests, path)
                            : !str_eq(path_base(path), STR("conftest.py"));
    return store_reader_get(j->reader, path, imported, packed);
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
    struct str base = path_base(u->path);
    bool importlib = str_eq(j->s->out->config.probe.import_mode, STR("importlib"));
    if (!importlib && str_chr(base, '.') < base.n - 3) {
        struct test t = {.id = u->relative, .function = STR(""), .class = STR(""), .error = true,
                         .doubt = "a file name with a dot in it cannot be imported"};
        add_test(j, &t);
        return;
    }
    tests_collect(j->world, u->path, &o, add_test, j);
    struct module *m = world_module(j->world, u->path);
    if (m && m->error_line) {
        u->error_line = m->error_line;
        u->error_column = m->error_column;
        u->error = m->error;
    }
}

/* While it is not known what the conftests say, they are followed here, too: their imports are those of the tests. */
static void await_hooks(struct job *j)
{
    struct discover_state *s = j->s;
    for (size_t i = 0; i < s->folders.cap; i++) {
        const struct folder *f = (const struct folder *)s->folders.slots[i].value;
        for (size_t k = 0; f && k < f->conftests.n && !atomic_load(&s->hooks_known); k++)
            world_module(j->world, f->conftests.items[k]);
    }
    pthread_mutex_lock(&s->hooks_lock);
    while (!atomic_load(&s->hooks_known))
        pthread_cond_wait(&s->hooks_done, &s->hooks_lock);
    pthread_mutex_unlock(&s->hooks_lock);
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

/* Who imports a package will need most of its modules. */
static void read_imported(struct job *j)
{
    const struct map *dirs = &j->s->dirs.by_path;
    struct buf path = {0};
    for (size_t i = 0; i < dirs->cap; i++) {
        const struct dir *d = (const struct dir *)dirs->slots[i].value;
        if (!d || !d->package || d->third)
            continue;
        buf_clear(&path);
        path_join(&path, d->path, STR("__init__.py"));
        bool imported = store_reader_knows(j->reader, buf_view(&path));
        for (size_t k = 0; imported && k < d->list.n; k++) {
            buf_clear(&path);
            path_join(&path, d->path, str_z(d->list.items[k].name));
            if (str_ends(buf_view(&path), STR(".py")))
                store_reader_prepare(j->reader, buf_view(&path));
        }
    }
    buf_release(&path);
}

/* What the first thread looks up to begin with, all need, and they would wait for each other there: the others
 * first read the files. */
static void *assist(void *ctx)
{
    struct job *j = ctx;
    while (store_reader_ahead(j->reader))
        ;
    read_imported(j);
    await_hooks(j);
    return work(j);
}

static struct job make_job(struct discover_state *s, struct world *w)
{
    *w = (struct world){.config = &s->out->config, .roots = &s->roots, .owned = &s->dirs.owned,
                        .dirs.shared = &s->listings, .statements = get_statements};
    return (struct job){.s = s, .world = w, .reader = store_reader_new(s->store)};
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
    discover_drop_ignored(s, &paths, &globs);
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
    stmt_store_expect(s->store, &s->files);
    for (unsigned i = 1; i < threads; i++)
        started[i] = thread_start(&ids[i], assist, &jobs[i]);
    check_hooks(s, &jobs[0]);
    pthread_mutex_lock(&s->hooks_lock);
    atomic_store(&s->hooks_known, true);
    pthread_cond_broadcast(&s->hooks_done);
    pthread_mutex_unlock(&s->hooks_lock);
    work(&jobs[0]);
    for (unsigned i = 0; i < threads; i++) {
        if (started[i])
            pthread_join(ids[i], NULL);
        store_reader_free(jobs[i].reader);
    }
}

/* ---- the stages in order ---- */

bool discover_is_listed(const struct test *t)
{
    return !t->error && t->function.n > 0;
}

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
    pthread_mutex_init(&s->listings.lock, NULL);
    pthread_mutex_init(&s->hooks_lock, NULL);
    pthread_cond_init(&s->hooks_done, NULL);
    s->listings.first = &s->dirs;
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
    if (!o->no_cache && discover_cache_load(answer.p, question, !o->listing_is_enough || out->config.verbosity < -1, &s->answer, out)) {
        out->counts.answered = true;
        buf_release(&answer);
        *code = EXIT_PASSED;
        return true;
    }
    dirs_set_up(&s->dirs, &out->config.probe.third, &out->config.probe.args);
    for (size_t i = 0; o->only && i < o->only->n; i++)
        strs_add(&s->files, o->only->items[i]);
    if (!o->only && !scan_modules(&out->config.probe, &s->dirs, &s->files, err))
        return false;
    arguments_init(&s->arguments, &out->config);
    discover_order_files(s);
    discover_make_units(s);
    state_path(s, o, "stmts.bin", &index);
    s->store = stmt_store_open(index.p, parser, o->no_cache);
    buf_release(&index);
    collect_all(s, thread_count(o, s->n_units));
    discover_take_records(s, o);
    if (!discover_select(s, err))
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
    arguments_release(&s->arguments);
    plugins_release(&s->plugins);
    if (s->store)
        stmt_store_close(s->store, &d->warning);
    buf_release(&s->answer.listing);
    buf_release(&s->answer.tests);
    shared_dirs_release(&s->listings);
    pthread_cond_destroy(&s->hooks_done);
    pthread_mutex_destroy(&s->hooks_lock);
    dirs_release(&s->dirs);
    config_release(&d->config);
    free(d->tests);
    free(d->errors);
    free(s);
    memset(d, 0, sizeof *d);
}
