#include "generator/generate.h"

#include "generator/collect/scan.h"
#include "generator/config/probe.h"
#include "generator/emit/emit_ninja.h"
#include "generator/files/pyname.h"
#include "generator/graph/batch.h"
#include "generator/graph/closure.h"
#include "generator/graph/executed.h"
#include "generator/graph/key.h"
#include "generator/graph/resolve.h"
#include "generator/graph/stale.h"
#include "generator/narrow.h"
#include "generator/skips.h"
#include "runtime/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* Everything that lives as long as one scan. */
struct stage {
    const struct generate_options *o;
    struct plan *plan;
    struct probe probe;
    struct dirs dirs;
    struct index index;
    struct sources sources;
    struct graph graph;
    struct resolver resolver;
    struct strs modules;   /* paths */
    uint32_t *nodes;       /* of the modules */
    uint32_t *weights;
    uint32_t n_first; /* modules that narrow.h puts before the others */
    uint32_t *shared;      /* nodes that every module depends on: plugins, session-wide hooks */
    size_t n_shared, cap_shared;
    bool prepend, dry;
};

static struct str copy(struct stage *s, struct str text)
{
    return (struct str){arena_dup(&s->plan->arena, text.p ? text.p : "", text.n), text.n};
}

static void state_path(struct stage *s, struct buf *out, const char *name)
{
    buf_clear(out);
    buf_str(out, buf_view(&s->probe.state_dir));
    buf_printf(out, "/%s", name);
}

static void add_editable(struct stage *s, struct str line)
{
    size_t eq = str_chr(line, '=');
    struct str *path = arena_alloc(&s->resolver.arena, sizeof *path);
    *path = str_slice(line, eq + 1, line.n);
    if (path->n)
        *map_put(&s->resolver.editable, str_slice(line, 0, eq), NULL) = (uintptr_t)path;
}

static void set_up_resolver(struct stage *s)
{
    struct resolver *r = &s->resolver;
    r->graph = &s->graph;
    r->dirs = &s->dirs;
    r->sources = &s->sources;
    r->root = s->probe.root;
    for (size_t i = 0; i < s->probe.pythonpath.n; i++)
        resolver_root(r, s->probe.pythonpath.items[i]);
    for (size_t i = 0; i < s->probe.path.n; i++)
        resolver_root(r, s->probe.path.items[i]);
    for (size_t i = 0; i < s->probe.editable.n; i++)
        add_editable(s, s->probe.editable.items[i]);
}

static uint32_t add_file(struct stage *s, struct str path)
{
    if (s->prepend && str_ends(path, STR(".py")))
        resolver_root(&s->resolver, resolver_basedir(&s->resolver, path_dir(path)));
    return resolver_add(&s->resolver, path);
}

static void add_shared(struct stage *s, uint32_t node)
{
    s->shared = xgrow(s->shared, &s->cap_shared, s->n_shared + 1, sizeof *s->shared);
    s->shared[s->n_shared++] = node;
}

static uint32_t add_conftest(struct stage *s, struct str path)
{
    bool known = map_get(&s->graph.by_path, path) != NULL;
    uint32_t node = add_file(s, path);
    uint32_t flags = s->graph.nodes[node].file->facts.flags;
    if (!known && flags & FACT_HOOKS)
        add_shared(s, node);
    if (flags & FACT_COLLECTS)
        s->plan->other = true;
    return node;
}

/* conftest.py of every directory above a module, down from confcutdir (pytest 9,
 * _pytest/config/__init__.py: directories that are no proper parent of confcutdir). */
static void link_conftests(struct stage *s, uint32_t module)
{
    struct str cut = s->probe.cutdir, dir = path_dir(s->graph.nodes[module].path);
    if (probe_is(s->probe.noconftest))
        return;
    for (;; dir = path_dir(dir)) {
        if (cut.n && !str_eq(cut, dir) && path_under(cut, dir.n ? dir : STR("/")))
            return;
        struct dir *d = dirs_open(&s->dirs, dir);
        if (dir_kind(d, STR("conftest.py")) == IO_FILE) {
            struct str path = dirs_join(&s->dirs, d->path, STR("conftest.py"));
            graph_edge(&s->graph, module, add_conftest(s, path));
        }
        if (dir.n <= 1)
            return;
    }
}

static void build_graph(struct stage *s)
{
    uint32_t n = (uint32_t)s->modules.n;
    s->nodes = arena_array(&s->dirs.arena, n, sizeof *s->nodes);
    s->weights = arena_array(&s->dirs.arena, n, sizeof *s->weights);
    for (uint32_t i = 0; i < n; i++) {
        s->nodes[i] = add_file(s, s->modules.items[i]);
        s->graph.nodes[s->nodes[i]].planned = true;
    }
    for (uint32_t i = 0; i < n; i++)
        link_conftests(s, s->nodes[i]);
    for (size_t i = 0; i < s->probe.conftests.n; i++)
        add_conftest(s, s->probe.conftests.items[i]);
    for (size_t i = 0; i < s->probe.plugins.n; i++)
        add_shared(s, add_file(s, s->probe.plugins.items[i]));
    for (uint32_t i = 0; i < n; i++) {
        s->weights[i] = s->graph.nodes[s->nodes[i]].file->facts.n_tests;
        for (size_t k = 0; k < s->n_shared; k++)
            graph_edge(&s->graph, s->nodes[i], s->shared[k]);
    }
    resolver_run(&s->resolver);
    graph_condense(&s->graph);
    closure_compute(&s->graph);
}

static bool keep_docs(const struct stage *s)
{
    return !s->o->ignore_docstrings || probe_is(s->probe.doctest_modules);
}

/* A record holds for the isolation that it was made with. */
static struct hash128 with_isolation(struct hash128 environment, enum isolation isolation)
{
    struct hasher *h = hasher_new();
    hasher_hash(h, environment);
    hasher_u64(h, isolation);
    struct hash128 all = hasher_done(h);
    return isolation == ISOLATION_BATCH ? environment : all;
}

/* What must not run beside something else. */
static void fill_apart(struct stage *s)
{
    struct plan *p = s->plan;
    p->n_serial = s->o->n_serial;
    p->serial = arena_array(&p->arena, p->n_serial, sizeof *p->serial);
    for (uint32_t i = 0; i < p->n_serial; i++)
        p->serial[i] = copy(s, s->o->serial[i]);
    p->n_groups = s->o->n_groups;
    p->groups = arena_array(&p->arena, p->n_groups, sizeof *p->groups);
    for (uint32_t i = 0; i < p->n_groups; i++)
        p->groups[i] = (struct plan_group){copy(s, s->o->groups[i].name), copy(s, s->o->groups[i].glob)};
}

static void fill_head(struct stage *s)
{
    struct plan *p = s->plan;
    const struct generate_options *o = s->o;
    p->run_id = (uint64_t)clock_wall_ns() * 1000 + (uint64_t)getpid() % 1000;
    p->root = copy(s, s->probe.root);
    p->cwd = copy(s, str_z(o->cwd));
    p->state_dir = copy(s, buf_view(&s->probe.state_dir));
    p->n_args = (uint32_t)o->n_args;
    p->args = arena_array(&p->arena, p->n_args, sizeof *p->args);
    for (uint32_t i = 0; i < p->n_args; i++)
        p->args[i] = copy(s, str_z(o->args[i]));
    p->n_report = (uint32_t)s->probe.report.n;
    p->report = arena_array(&p->arena, p->n_report, sizeof *p->report);
    for (uint32_t i = 0; i < p->n_report; i++)
        p->report[i] = copy(s, s->probe.report.items[i]);
    narrow_plan(o->narrow, p);
    p->options = o->options;
    p->options.python = copy(s, s->probe.python);
    p->options.tty = copy(s, o->options.tty);
    p->options.pytest_cache = copy(s, o->options.pytest_cache);
    p->options.junit = copy(s, o->options.junit);
    p->options.json = copy(s, o->options.json);
    p->options.report_log = copy(s, o->options.report_log);
    p->options.trace = copy(s, o->options.trace);
    p->options.job_input = copy(s, o->options.job_input);
    p->options.job_output = copy(s, o->options.job_output);
    fill_apart(s);
    p->other = p->other || probe_is(s->probe.other);
    p->environment = with_isolation(key_environment(&s->probe, &s->sources, !o->ignore_lines, keep_docs(s)),
                                    p->options.isolation);
}

static uint32_t file_flags(const struct stage *s, uint32_t node)
{
    const struct node *n = &s->graph.nodes[node];
    bool whole = n->planned || str_eq(path_base(n->path), STR("conftest.py"));
    for (size_t i = 0; i < s->n_shared; i++)
        whole = whole || s->shared[i] == node;
    uint32_t facts = n->file->facts.flags;
    return (whole ? FILE_WHOLE : 0u) | (facts & FACT_COMPILES ? FILE_OPAQUE : 0u) | (facts & FACT_DYNAMIC ? FILE_DYNAMIC : 0u);
}

static void fill_files(struct stage *s)
{
    struct plan *p = s->plan;
    p->n_files = (uint32_t)s->graph.n;
    p->files = arena_array(&p->arena, p->n_files, sizeof *p->files);
    for (uint32_t i = 0; i < p->n_files; i++) {
        p->files[i].path = copy(s, s->graph.nodes[i].path);
        p->files[i].st = s->graph.nodes[i].file->st;
        p->files[i].flags = file_flags(s, i);
    }
}

/* A narrowed run (-k, node ids) keeps its records apart from the full ones. */
static struct str record_path(struct stage *s, struct str rel, struct str selection)
{
    struct buf b = {0};
    buf_str(&b, s->plan->state_dir);
    buf_z(&b, "/m/");
    pyname_stem(&b, rel);
    if (selection.n)
        buf_printf(&b, "@%08x", (unsigned)hash64_of(selection.p, selection.n));
    buf_z(&b, ".rec");
    struct str path = copy(s, buf_view(&b));
    buf_release(&b);
    return path;
}

static void fill_modules(struct stage *s)
{
    struct plan *p = s->plan;
    struct hash128 *hashes = key_nodes(&s->graph, p->root, &s->dirs.arena);
    struct hash128 *names = key_names(&s->graph, p->root, &s->dirs.arena);
    struct buf rel = {0};
    p->n_modules = (uint32_t)s->modules.n;
    p->modules = arena_array(&p->arena, p->n_modules, sizeof *p->modules);
    for (uint32_t i = 0; i < p->n_modules; i++) {
        struct plan_module *m = &p->modules[i];
        buf_clear(&rel);
        path_relative(&rel, s->modules.items[i], p->root);
        m->path = p->files[s->nodes[i]].path;
        m->rel = copy(s, buf_view(&rel));
        struct str selection = narrow_selection(s->o->narrow, s->probe.selection, m->rel, &s->dirs.arena);
        m->record = record_path(s, m->rel, selection);
        m->files = closure_of(&s->graph, s->nodes[i], &p->arena, &m->n_files);
        m->key = key_module(p->environment, selection, m->rel, hashes, m->files,
                            m->n_files);
        m->loose = key_module(p->environment, selection, m->rel, names, m->files, m->n_files);
    }
    buf_release(&rel);
}

/* With a selection some items of a module are left out; a hook, a doctest or another plugin's item may be
 * anywhere: then every module runs. <state>/folded is there until the summary has told: Ninja scans again when the
 * graph is another one, and what the first of its scans has folded is of this run. */
static void fold_skips(struct stage *s, const bool *namesake)
{
    struct plan *p = s->plan;
    bool *candidates = arena_array(&p->arena, p->n_modules, sizeof *candidates), some = false;
    struct buf path = {0};
    if (s->n_shared || p->other || p->n_only || s->probe.selection.n || probe_is(s->probe.doctest_modules))
        return;
    state_path(s, &path, "folded");
    struct io_stat folded = io_stat_path(path.p);
    buf_release(&path);
    for (uint32_t i = 0; i < p->n_modules; i++) {
        const struct plan_module *m = &p->modules[i];
        bool untold = folded.kind == IO_FILE && m->record_st.mtime_ns >= folded.mtime_ns;
        candidates[i] = (m->stale || untold) && !namesake[i] && s->graph.nodes[s->nodes[i]].file->facts.flags & FACT_SKIPS;
        some = some || candidates[i];
    }
    if (some && plan_mark(p, "folded", STR("")))
        skips_fold(p, s->o, candidates);
}

/* The power of two below: a little more or less changes no order, for which Ninja would read the graph again. */
static uint32_t coarse(uint64_t n)
{
    uint32_t out = 1;
    while (n >= 2 && out < UINT32_MAX / 2) {
        n /= 2;
        out *= 2;
    }
    return out;
}

/* Weights for the order of the edges: how long the tests took, or will take, in ms; without a record their number.
 * What is to come first does. */
static void weigh_by_time(struct stage *s)
{
    uint64_t ms = 0, tests = 0;
    for (uint32_t i = 0; i < s->plan->n_modules; i++) {
        uint32_t took = s->plan->modules[i].took_ms;
        ms += took;
        tests += took ? s->weights[i] : 0;
    }
    for (uint32_t i = 0; tests && i < s->plan->n_modules; i++) {
        uint32_t took = s->plan->modules[i].took_ms;
        s->weights[i] = coarse(took ? took : s->weights[i] * ms / tests);
    }
    for (uint32_t i = 0; i < s->n_first; i++)
        s->weights[i] = UINT32_MAX - i;
}

static void check_records(struct stage *s)
{
    struct stale st = {.plan = s->plan, .graph = &s->graph, .dirs = &s->dirs,
                       .sources = &s->sources, .last_environment = s->index.environment,
                       .always = &s->probe.always, .all = s->o->no_cache, .dry = s->dry, .prepend = s->prepend};
    stale_check(&st);
    if (!s->dry)
        fold_skips(s, st.namesake);
    if (!hash128_eq(s->index.environment, s->plan->environment)) {
        s->index.environment = s->plan->environment;
        s->index.dirty = true;
    }
}

/* <pid>.json: is there such a process? A pool that persists may use its session again. */
static bool is_alive(const char *name)
{
    long pid = strtol(name, NULL, 10);
    return pid > 1 && kill((pid_t)pid, 0) == 0;
}

/* What sessions of earlier runs had executed before the tests (PROTOCOL.md, "shared"). */
static void drop_code(struct stage *s)
{
    struct buf dir = {0}, path = {0};
    struct io_list list;
    state_path(s, &dir, "code");
    if (io_listdir(dir.p, &list)) {
        for (size_t i = 0; i < list.n; i++) {
            if (is_alive(list.items[i].name))
                continue;
            buf_clear(&path);
            path_join(&path, buf_view(&dir), str_z(list.items[i].name));
            unlink(path.p);
        }
        io_list_release(&list);
    }
    buf_release(&dir);
    buf_release(&path);
}

/* Ninja runs what has no .ok. */
static void drop_stale_stamps(struct stage *s)
{
    static const char *const leftovers[] = {"stop", "interrupted", "error", "warnings", "took"};
    struct buf path = {0};
    for (size_t i = 0; i < sizeof leftovers / sizeof *leftovers; i++) {
        state_path(s, &path, leftovers[i]);
        unlink(path.p);
    }
    drop_code(s);
    for (uint32_t i = 0; i < s->plan->n_batches; i++) {
        const struct plan_batch *b = &s->plan->batches[i];
        if (!plan_batch_stale(s->plan, b))
            continue;
        state_path(s, &path, "b/");
        buf_str(&path, b->name);
        buf_z(&path, ".ok");
        unlink(path.p);
    }
    buf_release(&path);
}

static bool write_state(struct stage *s, struct err *err)
{
    struct buf path = {0};
    state_path(s, &path, "index.bin");
    drop_stale_stamps(s);
    bool runs = s->plan->other;
    for (uint32_t i = 0; i < s->plan->n_modules; i++)
        runs = runs || s->plan->modules[i].stale;
    bool ok = plan_save(s->plan, err);
    if (ok && runs && s->o->planned)
        s->o->planned(s->o->planned_ctx, s->plan);
    ok = ok && (!s->index.dirty || index_save(&s->index, path.p, err)) &&
         (!runs || executed_save(s->plan, &s->graph, err)) &&
         emit_rules(s->o, s->plan->root, s->plan->state_dir, false, err) &&
         emit_graph(s->plan, &s->graph, s->nodes, s->weights, err);
    buf_release(&path);
    return ok;
}

/* One run at a time on a state directory: the lock goes with this process, or with its next run. */
static int held = -1;

void generate_unlock(void)
{
    if (held >= 0)
        close(held);
    held = -1;
}

static bool lock_state(struct stage *s, struct err *err)
{
    struct buf path = {0};
    generate_unlock();
    path_join(&path, buf_view(&s->probe.state_dir), STR("run.lock"));
    int fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!ok && fd >= 0 && errno == EWOULDBLOCK)
        err_set(err, "%s: another fastest runs in this state directory; wait for it, or use "
                     "another --state-dir", path.p);
    else if (!ok)
        err_errno(err, "%s: cannot be locked", path.p);
    if (!ok && fd >= 0)
        close(fd);
    held = ok ? fd : -1;
    buf_release(&path);
    return ok;
}

static bool leave_to_pytest(struct stage *s, struct err *err)
{
    struct str option = s->probe.plain;
    if (!s->o->yields)
        return err_set(err, "%.*s reports on a whole run in one process: run `fastest` or pytest itself for it, or leave it "
                       "out here", (int)option.n, option.p);
    s->plan->plain = (struct str){arena_dup(&s->plan->arena, option.p, option.n), option.n};
    return true;
}

static bool run_stages(struct stage *s, enum exit_code *code, struct err *err)
{
    struct buf path = {0};
    if (!probe_run(&s->probe, s->o, code, err))
        return false;
    if (s->o->narrow && s->o->narrow->option && probe_is(s->probe.other))
        s->probe.plain = str_z(s->o->narrow->option); /* tests that discovery does not see may have failed */
    if (s->probe.plain.n && !s->dry)
        return leave_to_pytest(s, err);
    *code = EXIT_INTERNAL;
    if (!s->dry && !lock_state(s, err))
        return false;
    dirs_set_up(&s->dirs, &s->probe.third, &s->probe.args);
    *code = EXIT_USAGE;
    if (!scan_modules(&s->probe, &s->dirs, &s->modules, err))
        return false;
    *code = EXIT_INTERNAL;
    s->n_first = narrow_modules(s->o->narrow, &s->modules);
    state_path(s, &path, "index.bin");
    index_load(&s->index, path.p, !s->o->ignore_lines, keep_docs(s));
    buf_release(&path);
    s->sources = (struct sources){.index = &s->index, .restore_mtimes = s->o->restore_mtimes};
    s->prepend = !str_eq(s->probe.import_mode, STR("importlib"));
    set_up_resolver(s);
    build_graph(s);
    fill_head(s);
    fill_files(s);
    fill_modules(s);
    batch_group(s->plan, s->weights, s->o->narrow && s->o->narrow->serial);
    check_records(s);
    weigh_by_time(s);
    return s->dry || write_state(s, err);
}

static void stage_release(struct stage *s)
{
    resolver_release(&s->resolver);
    graph_release(&s->graph);
    sources_release(&s->sources);
    index_release(&s->index);
    dirs_release(&s->dirs);
    probe_release(&s->probe);
    strs_release(&s->modules);
    free(s->shared);
}

bool generate(const struct generate_options *o, struct plan *plan, enum exit_code *code,
              struct err *err)
{
    memset(plan, 0, sizeof *plan);
    plan->scan_start_ns = clock_wall_ns();
    struct stage s = {.o = o, .plan = plan};
    bool ok = run_stages(&s, code, err);
    stage_release(&s);
    if (!ok)
        plan_release(plan);
    else
        *code = EXIT_PASSED;
    return ok;
}

bool generate_look(const struct generate_options *o, look_fn *look, void *ctx, enum exit_code *code, struct err *err)
{
    struct plan plan = {.scan_start_ns = clock_wall_ns()};
    struct stage s = {.o = o, .plan = &plan, .dry = true};
    struct strs settings = {0};
    bool ok = run_stages(&s, code, err);
    if (ok) {
        for (size_t i = 0; i < s.probe.inputs.n; i++)
            strs_add(&settings, s.probe.inputs.items[i]);
        for (size_t i = 0; i < s.probe.data.n; i++)
            strs_add(&settings, s.probe.data.items[i]);
        ok = look(ctx, &(struct look){.plan = &plan, .graph = &s.graph, .plain = s.probe.plain, .settings = &settings}, err);
        *code = ok ? EXIT_PASSED : EXIT_USAGE;
    }
    strs_release(&settings);
    stage_release(&s);
    plan_release(&plan);
    return ok;
}

bool generate_init(const struct generate_options *o, char **root, enum exit_code *code,
                   struct err *err)
{
    struct probe p = {0};
    bool ok = probe_run(&p, o, code, err);
    if (ok) {
        *root = xmalloc(p.root.n + 1);
        memcpy(*root, p.root.p, p.root.n);
        (*root)[p.root.n] = '\0';
        *code = EXIT_USAGE;
        struct str root_view = {*root, p.root.n};
        ok = emit_rules(o, root_view, buf_view(&p.state_dir), true, err) &&
             emit_init(root_view, buf_view(&p.state_dir), err);
    }
    if (ok)
        *code = EXIT_PASSED;
    probe_release(&p);
    return ok;
}

bool generate_top(const struct plan *plan, struct err *err)
{
    return emit_top(plan, err);
}
