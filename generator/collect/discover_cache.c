#include "generator/collect/discover_cache.h"

#include "runtime/base/clock.h"
#include "runtime/base/pack.h"

#include <stdlib.h>
#include <string.h>

enum { VERSION = 2 };
static const char magic[8] = "fstdisc";
static const int64_t racy_ns = INT64_C(2000000000);

static void add_list(struct hasher *h, const struct strs *l)
{
    hasher_u64(h, l->n);
    for (size_t i = 0; i < l->n; i++)
        hasher_str(h, l->items[i]);
}

static void add_stat(struct hasher *h, const char *path)
{
    struct io_stat st = io_stat_path(path ? path : "");
    hasher_u64(h, st.size_bytes);
    hasher_u64(h, (uint64_t)st.mtime_ns);
    hasher_u64(h, st.inode);
}

struct hash128 discover_question(const struct discover_options *o, const struct config *c)
{
    const struct probe *p = &c->probe;
    const struct str texts[] = {p->python, p->pytest, p->root, p->ini, p->cutdir, p->import_mode, p->noconftest,
                                p->in_venv, p->doctest_modules, c->keyword, c->markexpr, c->long_str_ids,
                                c->empty_mark, c->parser, str_z(o->parser), str_z(o->generate->cwd)};
    const struct strs *lists[] = {&p->args, &p->arg_texts, &p->python_files, &p->norecurse, &p->ignore,
                                  &p->ignore_glob, &p->pythonpath, &p->doctest_glob, &p->path, &p->third,
                                  &c->interp.plugins, &c->usefixtures, &c->python_classes, &c->python_functions, &c->deselect,
                                  &c->node_args, &c->plugins, &c->markers, &c->unknown};
    struct hasher *h = hasher_new();
    hasher_u64(h, VERSION);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        hasher_str(h, texts[i]);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        add_list(h, lists[i]);
    hasher_u64(h, c->interp.major * 1000 + c->interp.minor);
    hasher_u64(h, (uint64_t)c->interp.micro);
    hasher_u64(h, (uint64_t)c->strict_parametrization_ids * 2 + c->no_escape_ids);
    add_stat(h, o->generate->fastest);
    return hasher_done(h);
}

/* ---- reading ---- */

static bool deps_hold(struct unpack *u)
{
    char path[4096];
    for (uint32_t n = unpack_count(u, 40); n && !u->bad; n--) {
        struct str s = unpack_str(u);
        struct io_stat was = unpack_stat(u), now;
        if (u->bad || s.n >= sizeof path)
            return false;
        memcpy(path, s.p, s.n);
        path[s.n] = '\0';
        now = io_stat_path(path);
        bool same = was.kind == IO_DIR ? now.kind == IO_DIR && now.mtime_ns == was.mtime_ns && now.inode == was.inode
                                       : io_stat_same(&was, &now);
        if (!same)
            return false;
    }
    return !u->bad;
}

static void unpack_test(struct unpack *u, struct test *t, struct arena *a)
{
    t->id = unpack_str(u);
    t->function = unpack_str(u);
    t->class = unpack_str(u);
    t->line = unpack_u32(u);
    t->error = unpack_u8(u) != 0;
    struct str doubt = unpack_str(u); /* with its NUL */
    t->doubt = doubt.n ? doubt.p : NULL;
    t->skip.certain = unpack_u8(u) != 0;
    t->skip.line = unpack_u32(u);
    t->skip.reason = unpack_str(u);
    t->n_marks = unpack_count(u, 4);
    struct value *marks = arena_array(a, t->n_marks, sizeof *marks);
    for (uint32_t i = 0; i < t->n_marks; i++)
        marks[i] = (struct value){.kind = VALUE_MARK, .text = unpack_str(u)};
    t->n_params = unpack_count(u, 9);
    struct test_param *params = arena_array(a, t->n_params, sizeof *params);
    for (uint32_t i = 0; i < t->n_params; i++) {
        params[i].name = unpack_str(u);
        params[i].value.kind = unpack_u8(u) ? VALUE_COMPLEX : VALUE_UNKNOWN;
        params[i].value.text = unpack_str(u);
    }
    t->marks = marks;
    t->params = params;
}

static void forget(struct discovered *out)
{
    free(out->tests);
    free(out->errors);
    out->tests = NULL;
    out->errors = NULL;
    out->n = out->n_errors = out->n_deselected = 0;
    out->listing = (struct discover_listing){.lines = {NULL, 0}};
}

static const char *tests_path(const char *path, struct buf *b)
{
    buf_z(b, path);
    buf_z(b, ".tests");
    return b->p;
}

/* stamp: of the listing that they belong to. */
static bool load_tests(const char *path, uint64_t stamp, struct buf *file, struct discovered *out)
{
    struct unpack u;
    struct buf name = {0};
    bool ok = pack_open(tests_path(path, &name), magic, VERSION, file, &u) && unpack_u64(&u) == stamp;
    buf_release(&name);
    if (!ok)
        return false;
    out->n_errors = unpack_count(&u, 16);
    out->errors = xmalloc((out->n_errors + 1) * sizeof *out->errors);
    for (size_t i = 0; i < out->n_errors; i++) {
        struct discover_error *e = &out->errors[i];
        e->path = unpack_str(&u);
        e->line = unpack_u32(&u);
        e->column = unpack_u32(&u);
        e->what = unpack_str(&u);
    }
    out->n = unpack_count(&u, 40);
    out->tests = xmalloc((out->n + 1) * sizeof *out->tests);
    memset(out->tests, 0, (out->n + 1) * sizeof *out->tests);
    for (size_t i = 0; i < out->n && !u.bad; i++)
        unpack_test(&u, &out->tests[i], &out->config.probe.arena);
    return !u.bad;
}

bool discover_cache_load(const char *path, struct hash128 question, bool tests, struct discover_files *files,
                         struct discovered *out)
{
    struct unpack u;
    if (!pack_open(path, magic, VERSION, &files->listing, &u))
        return false;
    if (!hash128_eq(unpack_hash(&u), question) || !deps_hold(&u))
        return false;
    uint64_t stamp = unpack_u64(&u);
    out->n_deselected = (size_t)unpack_u64(&u);
    bool errors = unpack_u8(&u) != 0;
    out->listing.n_listed = (size_t)unpack_u64(&u);
    out->listing.n_doubtful = (size_t)unpack_u64(&u);
    out->listing.lines = unpack_str(&u);
    if (!u.bad && ((!tests && !errors) || load_tests(path, stamp, &files->tests, out)))
        return true;
    forget(out);
    return false;
}

/* ---- writing ---- */

static void pack_test(struct buf *b, const struct test *t)
{
    pack_str(b, t->id);
    pack_str(b, t->function);
    pack_str(b, t->class);
    pack_u32(b, t->line);
    pack_u8(b, t->error);
    pack_str(b, t->doubt ? (struct str){t->doubt, strlen(t->doubt) + 1} : STR(""));
    pack_u8(b, t->skip.certain);
    pack_u32(b, t->skip.line);
    pack_str(b, t->skip.certain ? t->skip.reason : STR(""));
    pack_u32(b, t->n_marks);
    for (uint32_t i = 0; i < t->n_marks; i++)
        pack_str(b, t->marks[i].text);
    pack_u32(b, t->n_params);
    for (uint32_t i = 0; i < t->n_params; i++) {
        struct buf repr = {0};
        bool known = value_repr(&t->params[i].value, &repr);
        pack_str(b, t->params[i].name);
        pack_u8(b, known);
        pack_str(b, known && repr.n ? buf_view(&repr) : STR(""));
        buf_release(&repr);
    }
}

static bool save_tests(const char *path, uint64_t stamp, const struct discovered *d, struct err *err)
{
    struct buf b = {0}, name = {0};
    pack_u64(&b, stamp);
    pack_u32(&b, (uint32_t)d->n_errors);
    for (size_t i = 0; i < d->n_errors; i++) {
        pack_str(&b, d->errors[i].path);
        pack_u32(&b, d->errors[i].line);
        pack_u32(&b, d->errors[i].column);
        pack_str(&b, d->errors[i].what);
    }
    pack_u32(&b, (uint32_t)d->n);
    for (size_t i = 0; i < d->n; i++)
        pack_test(&b, &d->tests[i]);
    bool ok = pack_save(tests_path(path, &name), magic, VERSION, &b, err);
    buf_release(&b);
    buf_release(&name);
    return ok;
}

static void pack_listing(struct buf *b, const struct discovered *d)
{
    struct buf lines = {0};
    uint64_t n_listed = 0, n_doubtful = 0;
    bool errors = d->n_errors > 0;
    for (size_t i = 0; i < d->n; i++) {
        const struct test *t = &d->tests[i];
        errors = errors || t->error;
        n_doubtful += t->doubt && !t->error;
        if (!discover_is_listed(t))
            continue;
        n_listed++;
        buf_str(&lines, t->id);
        buf_char(&lines, '\n');
    }
    pack_u8(b, errors);
    pack_u64(b, n_listed);
    pack_u64(b, n_doubtful);
    pack_str(b, lines.n ? buf_view(&lines) : STR(""));
    buf_release(&lines);
}

bool discover_cache_save(const char *path, struct hash128 question, const struct strs *deps,
                         const struct discovered *d, struct err *err)
{
    struct buf b = {0}, name = {0};
    int64_t now = clock_wall_ns();
    bool settled = true;
    pack_hash(&b, question);
    pack_u32(&b, (uint32_t)deps->n);
    for (size_t i = 0; i < deps->n && settled; i++) {
        buf_clear(&name);
        buf_str(&name, deps->items[i]);
        struct io_stat st = io_stat_path(name.p ? name.p : "");
        settled = (st.kind == IO_DIR ? st.mtime_ns : st.ctime_ns) < now - racy_ns;
        pack_str(&b, deps->items[i]);
        pack_stat(&b, &st);
    }
    pack_u64(&b, (uint64_t)now);
    pack_u64(&b, d->n_deselected);
    pack_listing(&b, d);
    bool ok = !settled || (save_tests(path, (uint64_t)now, d, err) && pack_save(path, magic, VERSION, &b, err));
    buf_release(&b);
    buf_release(&name);
    return ok;
}
