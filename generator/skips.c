#include "generator/skips.h"

#include "generator/collect/clean.h"
#include "generator/collect/discover_state.h"
#include "generator/collect/marks.h"
#include "generator/config/ask.h"
#include "generator/graph/record.h"
#include "runtime/base/clock.h"
#include "runtime/base/quote.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 1000 /* that are compiled: the others run */, MAX_CLASSES = 32 };

/* Plugins whose hooks leave a skipped test as it is. */
static const char *const harmless[] = {"anyio", "pytest_asyncio", "_hypothesis_pytestplugin", "hypothesis", "pytest_mock",
                                       "pytest_timeout", "xdist", "pytest_metadata", "pytest_jsonreport"};

/* One character for each file: 1 when it compiles and nothing is to be said about it. */
static const char script[] =
    "import sys\n"
    "for path in sys.argv[1:]:\n"
    "    try:\n"
    "        with open(path, 'rb') as f:\n"
    "            compile(f.read(), path, 'exec', dont_inherit=True)\n"
    "        print(1, end='')\n"
    "    except BaseException:\n"
    "        print(0, end='')\n";

struct fold {
    struct plan *plan;
    const struct generate_options *options;
    struct discovered found;
    struct world *world;
    struct store_reader *reader;
    struct module_fold {
        bool possible;
        struct module *module;
        struct strs files;    /* that must compile */
        const struct test **tests;
        size_t n, cap;
    } *modules;
    struct strs files;
    char *compiles;           /* for each of files: '1' */
};

/* ---- hooks ---- */

static bool plugins_leave_skips(const struct config *c)
{
    for (size_t i = 0; i < c->interp.plugins.n; i++) {
        struct str line = c->interp.plugins.items[i];
        struct str module = str_slice(line, str_chr(line, '=') + 1, line.n);
        size_t end = 0;
        bool known = false;
        while (end < module.n && module.p[end] != '.' && module.p[end] != ':')
            end++;
        for (size_t k = 0; k < sizeof harmless / sizeof *harmless && !known; k++)
            known = str_eq(str_slice(module, 0, end), str_z(harmless[k]));
        if (!known)
            return false;
    }
    for (size_t i = 0; i < c->plugins.n; i++)
        if (!str_eq(c->plugins.items[i], STR("no:cacheprovider")))
            return false;
    return true;
}

static bool is_new_enough(struct str pytest)
{
    return pytest.n > 1 && *pytest.p >= '8' && *pytest.p <= '9' && pytest.p[1] == '.';
}

static bool session_leaves_skips(const struct fold *f)
{
    const struct config *c = &f->found.config;
    return is_new_enough(c->interp.pytest) && !c->unknown.n && !c->interp.unsure_path && plugins_leave_skips(c) &&
           !f->found.state->doubt && !f->found.state->others.n;
}

/* ---- imports ---- */

static bool is_clean(struct fold *f, struct module_fold *m, struct str path, enum clean wanted)
{
    struct module *file = world_module(f->world, path);
    if (!file || clean_module(f->world, file) != wanted)
        return false;
    strs_add(&m->files, file->path);
    return true;
}

/* The packages around it are imported first. */
static bool packages_are_clean(struct fold *f, struct module_fold *m, struct str path)
{
    struct dirs *dirs = &f->found.state->dirs;
    for (struct str dir = path_dir(path); dir.n > 1; dir = path_dir(dir)) {
        struct dir *d = dirs_open(dirs, dir);
        if (!d->package)
            return true;
        struct str init = dirs_join(dirs, d->path, STR("__init__.py"));
        if (!str_eq(init, path) && (dir_kind(d, STR("__init__.py")) != IO_FILE || !is_clean(f, m, init, CLEAN_YES) ||
                                    scope_get(&world_module(f->world, init)->scope, STR("pytestmark"))))
            return false;
    }
    return true;
}

static bool imports_are_clean(struct fold *f, struct module_fold *m, const struct unit *u)
{
    for (size_t i = 0; i < u->conftests->n; i++)
        if (!is_clean(f, m, u->conftests->items[i], CLEAN_YES))
            return false;
    return packages_are_clean(f, m, u->path) && is_clean(f, m, u->path, m->module->skipped ? CLEAN_SKIPPED : CLEAN_YES);
}

static bool compile_all(struct fold *f)
{
    struct buf out = {0};
    struct err ignored;
    int status = 0;
    strs_sort(&f->files);
    strs_unique(&f->files);
    if (!f->files.n || f->files.n > MAX_FILES)
        return false;
    const char *first[] = {f->plan->options.python.p, "-I", "-S", "-W", "error", "-c", script};
    size_t n = sizeof first / sizeof *first;
    char **argv = xmalloc((n + f->files.n + 1) * sizeof *argv);
    for (size_t i = 0; i < n; i++)
        argv[i] = (char *)(uintptr_t)first[i];
    for (size_t i = 0; i < f->files.n; i++)
        argv[n + i] = (char *)(uintptr_t)f->files.items[i].p;
    argv[n + f->files.n] = NULL;
    bool ok = ask_program(argv, "/", true, &out, &status, &ignored) && status == 0 && out.n == f->files.n;
    free(argv);
    f->compiles = out.p;
    return ok;
}

static bool compiles(const struct fold *f, const struct module_fold *m)
{
    for (size_t i = 0; i < m->files.n; i++)
        for (size_t k = 0; k < f->files.n; k++)
            if (str_eq(m->files.items[i], f->files.items[k]) && f->compiles[k] != '1')
                return false;
    return true;
}

/* ---- tests ---- */

/* The classes around a test, innermost first; 0 for a chain that is not the text's: an inherited inner class. */
static uint32_t class_chain(struct world *w, const struct test *t, struct class_info **out, uint32_t max)
{
    struct str left = t->class;
    uint32_t n = 0;
    for (struct class_info *c = (struct class_info *)(uintptr_t)t->class_ref; c && n < max; n++) {
        struct binding *owner = c->class->scope->owner;
        if (!str_ends(left, c->class->name))
            return 0;
        left = str_slice(left, 0, left.n - c->class->name.n);
        left = str_slice(left, 0, left.n - (owner ? 2 : 0));
        out[n] = c;
        c = owner ? class_of(w, owner) : NULL;
    }
    return left.n ? 0 : n;
}

static bool is_certain(struct world *w, const struct test *t)
{
    const struct class_info *c = t->class_ref;
    struct class_info *chain[MAX_CLASSES];
    if (t->doubt || t->error || !t->skip.certain || !t->function.n || (c && (c->unittest || !c->bases_known)) ||
        (c && !class_chain(w, t, chain, MAX_CLASSES)))
        return false;
    for (uint32_t i = 0; i < t->n_marks; i++)
        if (!clean_mark(&t->marks[i]))
            return false;
    return true;
}

/* A module may be folded as far as its own tests tell. */
static bool take_tests(struct fold *f, struct module_fold *m, const struct unit *u)
{
    const struct discovered *d = &f->found;
    m->module = world_module(f->world, u->path);
    if (!m->module || m->module->error_line)
        return false;
    for (size_t i = 0; i < d->n; i++) {
        const struct test *t = &d->tests[i];
        if (!str_starts(t->id, u->relative) || (t->id.n > u->relative.n && t->id.p[u->relative.n] != ':'))
            continue;
        if (!is_certain(f->world, t))
            return false;
        m->tests = xgrow(m->tests, &m->cap, m->n + 1, sizeof *m->tests);
        m->tests[m->n++] = t;
    }
    return m->module->skipped ? m->n == 0 : m->n > 0;
}

/* ---- the record ---- */

struct names {
    struct buf *out;
    struct strs seen;
};

static void add_name(struct names *k, struct str name)
{
    if (strs_has(&k->seen, name))
        return;
    if (k->seen.n)
        buf_char(k->out, ',');
    strs_add(&k->seen, name);
    json_quote(k->out, name);
}

static void add_marks(struct names *k, const struct value *marks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        add_name(k, marks[i].text);
}

/* item.keywords: its own name and marks, then those of each node above it (mark/structures.py: NodeKeywords). */
static void add_keywords(struct fold *f, const struct module_fold *m, const struct test *t, struct str item, struct buf *out)
{
    struct names k = {.out = out};
    struct mark_list module_marks = {0};
    struct class_info *classes[MAX_CLASSES];
    uint32_t n = class_chain(f->world, t, classes, MAX_CLASSES);
    add_name(&k, item);
    add_marks(&k, t->marks, t->n_own);
    if (t->decorated)
        add_name(&k, STR("pytestmark"));
    if (item.n > t->function.n)
        add_name(&k, str_slice(item, t->function.n + 1, item.n - 1));
    for (uint32_t i = 0; i < n; i++) {
        struct mark_list own = {0};
        marks_of_class(f->world, classes[i], &own);
        add_name(&k, classes[i]->class->name);
        add_marks(&k, own.items, own.n);
        free(own.items);
    }
    add_name(&k, path_base(m->module->path));
    marks_of_scope(f->world, &m->module->scope, &module_marks);
    add_marks(&k, module_marks.items, module_marks.n);
    free(module_marks.items);
    struct str cut = f->found.config.probe.cutdir.n ? f->found.config.probe.cutdir : f->plan->root;
    for (struct str dir = path_dir(m->module->path); dir.n > 1 && path_under(dir, cut); dir = path_dir(dir))
        add_name(&k, path_base(dir));
    add_name(&k, STR(""));
    strs_release(&k.seen);
}

/* What follows the classes in a node id. */
static struct str item_name(const struct plan_module *p, const struct test *t)
{
    size_t head = p->rel.n + 2 + (t->class.n ? t->class.n + 2 : 0);
    return str_slice(t->id, head, t->id.n);
}

static void add_item(struct fold *f, const struct plan_module *p, const struct module_fold *m, const struct test *t,
                     struct buf *out)
{
    struct str item = item_name(p, t), rest = t->class, part;
    struct buf name = {0};
    while (rest.n && str_next(&rest, ':', &part))
        if (part.n) {
            buf_str(&name, part);
            buf_char(&name, '.');
        }
    buf_str(&name, item);
    buf_z(out, "{\"id\":");
    json_quote(out, t->id);
    buf_printf(out, ",\"line\":%u,\"file\":", t->line - 1);
    json_quote(out, p->rel);
    buf_z(out, ",\"name\":");
    json_quote(out, buf_view(&name));
    buf_z(out, ",\"kw\":[");
    add_keywords(f, m, t, item, out);
    buf_z(out, "]}");
    buf_release(&name);
}

static void add_phase(struct buf *out, const char *when, struct str path, uint32_t line, struct str reason, int64_t now_ns)
{
    struct buf text = {0};
    buf_z(&text, "Skipped: ");
    buf_str(&text, reason);
    buf_printf(out, "{\"when\":\"%s\",\"o\":\"skipped\",\"d\":0,\"t\":%.3f,\"skip\":[", when, (double)now_ns / 1e9);
    json_quote(out, path);
    buf_printf(out, ",%u,", line);
    json_quote(out, buf_view(&text));
    buf_z(out, "]");
    buf_release(&text);
}

static void write_meta(struct fold *f, const struct plan_module *p, const struct module_fold *m, int64_t now_ns,
                       struct buf *out)
{
    buf_z(out, "{\"path\":");
    json_quote(out, p->path);
    buf_z(out, ",\"rel\":");
    json_quote(out, p->rel);
    buf_z(out, ",\"items\":[");
    for (size_t i = 0; i < m->n; i++) {
        if (i)
            buf_char(out, ',');
        add_item(f, p, m, m->tests[i], out);
    }
    buf_z(out, "],\"error\":null,\"skip\":");
    if (m->module->skipped) {
        add_phase(out, "collect", p->path, m->module->skip_line, m->module->skip_reason, now_ns);
        buf_z(out, ",\"id\":");
        json_quote(out, p->rel);
        buf_z(out, "}");
    } else {
        buf_z(out, "null");
    }
    buf_z(out, ",\"deps\":{}}");
}

static void write_result(const struct plan_module *p, const struct test *t, int64_t now_ns, struct buf *out)
{
    buf_z(out, "{\"phases\":[");
    add_phase(out, "setup", p->path, t->line, t->skip.reason, now_ns);
    buf_printf(out, "},{\"when\":\"teardown\",\"o\":\"passed\",\"d\":0,\"t\":%.3f}]}", (double)now_ns / 1e9);
}

/* What was read is what the key was made from. */
static bool is_unchanged(const struct plan *p, const struct plan_module *m)
{
    for (uint32_t i = 0; i < m->n_files; i++) {
        struct io_stat now = io_stat_path(p->files[m->files[i]].path.p);
        if (!io_stat_same(&now, &p->files[m->files[i]].st))
            return false;
    }
    return true;
}

static void write_record(struct fold *f, struct plan_module *p, const struct module_fold *m)
{
    struct buf meta = {0}, texts = {0};
    struct err ignored;
    int64_t now_ns = clock_wall_ns();
    struct record r = {.key = p->key, .sources = f->plan->sources, .run_id = f->plan->run_id, .start_ns = now_ns,
                       .end_ns = now_ns, .flags = REC_PASSED, .n_items = (uint32_t)m->n, .n_results = (uint32_t)m->n};
    size_t *ends = xmalloc((m->n + 1) * sizeof *ends);
    r.results = xmalloc((m->n + 1) * sizeof *r.results);
    write_meta(f, p, m, now_ns, &meta);
    for (size_t i = 0; i < m->n; i++) {
        write_result(p, m->tests[i], now_ns, &texts);
        ends[i] = texts.n;
    }
    for (size_t i = 0, from = 0; i < m->n; from = ends[i++])
        r.results[i] = (struct record_result){.item = (uint32_t)i, .outcome = OUT_SKIPPED,
                                              .json = str_slice(buf_view(&texts), from, ends[i])};
    r.meta = buf_view(&meta);
    if (is_unchanged(f->plan, p) && record_save(&r, p->record.p, f->plan->root, &ignored))
        p->stale = false;
    free(r.results);
    free(ends);
    buf_release(&meta);
    buf_release(&texts);
}

/* ---- all ---- */

static bool get_statements(void *ctx, struct str path, struct str *packed)
{
    return store_reader_get(((struct fold *)ctx)->reader, path, true, packed);
}

static void check_modules(struct fold *f)
{
    struct discover_state *s = f->found.state;
    for (size_t i = 0; i < s->n_units; i++)
        for (uint32_t k = 0; k < f->plan->n_modules; k++) {
            struct module_fold *m = &f->modules[k];
            if (!str_eq(f->plan->modules[k].path, s->units[i].path) ||
                !str_eq(f->plan->modules[k].rel, s->units[i].relative) || !take_tests(f, m, &s->units[i]))
                continue;
            m->possible = imports_are_clean(f, m, &s->units[i]);
            for (size_t j = 0; j < m->files.n && m->possible; j++)
                strs_add(&f->files, m->files.items[j]);
        }
}

void skips_fold(struct plan *p, const struct generate_options *o, const bool *candidates)
{
    struct fold f = {.plan = p, .options = o};
    struct strs only = {0};
    struct err ignored;
    enum exit_code code;
    for (uint32_t i = 0; i < p->n_modules; i++)
        if (candidates[i])
            strs_add(&only, p->modules[i].path);
    struct discover_options ask = {.generate = o, .no_cache = true, .threads = 1, .only = &only};
    if (only.n && discover(&ask, &f.found, &code, &ignored) && session_leaves_skips(&f)) {
        f.world = &f.found.state->worlds[0];
        f.reader = store_reader_new(f.found.state->store);
        f.world->statements = get_statements;
        f.world->ctx = &f;
        f.modules = xmalloc((p->n_modules + 1) * sizeof *f.modules);
        memset(f.modules, 0, (p->n_modules + 1) * sizeof *f.modules);
        check_modules(&f);
        bool compiled = compile_all(&f);
        for (uint32_t i = 0; i < p->n_modules; i++) {
            if (compiled && f.modules[i].possible && compiles(&f, &f.modules[i]))
                write_record(&f, &p->modules[i], &f.modules[i]);
            strs_release(&f.modules[i].files);
            free(f.modules[i].tests);
        }
        store_reader_free(f.reader);
        free(f.modules);
        free(f.compiles);
        strs_release(&f.files);
    }
    discover_release(&f.found);
    strs_release(&only);
}
