#include "runtime/batch/stamp.h"

#include <string.h>
#include <unistd.h>

/* Ninja's depfile parser is quadratic in the number of entries; the scan checks all of them. */
enum { MAX_ENTRIES = 200 };

bool stamp_valid(const struct plan *plan, const struct plan_module *module, const struct record *r)
{
    struct hash128 key = module ? module->key : plan->environment;
    if (!(r->flags & REC_PASSED) || !hash128_eq(r->key, key))
        return false;
    if (!plan_sources_hold(plan, r->flags, r->sources))
        return false;
    for (uint32_t i = 0; i < r->n_deps; i++)
        if (!record_dep_holds(&r->deps[i]))
            return false;
    return true;
}

static void stamp_path(struct buf *out, const struct plan *plan, const struct plan_batch *b,
                       const char *suffix)
{
    buf_str(out, plan->state_dir);
    buf_z(out, "/b/");
    buf_str(out, b->name);
    buf_z(out, suffix);
}

bool stamp_ok(const struct plan *plan, const struct plan_batch *b, int64_t mtime_ns, struct err *err)
{
    struct buf path = {0}, text = {0};
    char hex[33];
    for (uint32_t i = 0; i < b->count; i++) {
        const struct plan_module *m = &plan->modules[b->first + i];
        hash128_hex(m->key, hex);
        buf_printf(&text, "%s ", hex);
        buf_str(&text, m->rel);
        buf_char(&text, '\n');
    }
    stamp_path(&path, plan, b, ".ok");
    bool ok = io_replace_if_changed(path.p, buf_view(&text), NULL, err);
    if (ok && !io_set_mtime(path.p, mtime_ns))
        ok = err_errno(err, "%s: cannot set its time", path.p);
    buf_release(&path);
    buf_release(&text);
    return ok;
}

bool stamp_is_ok(const struct plan *plan, const struct plan_batch *b)
{
    struct buf path = {0};
    stamp_path(&path, plan, b, ".ok");
    bool there = access(path.p, F_OK) == 0;
    buf_release(&path);
    return there;
}

void stamp_remove(const struct plan *plan, const struct plan_batch *b)
{
    struct buf path = {0};
    stamp_path(&path, plan, b, ".ok");
    unlink(path.p);
    buf_release(&path);
}

/* What Ninja's depfile parser (1.11, depfile_parser.in.cc) takes in a name, escaped or not. */
static bool can_be_named(struct str path)
{
    static const char plain[] = "+,/_:.~()}{%=@[]!- #$";
    for (size_t i = 0; i < path.n; i++) {
        unsigned char c = (unsigned char)path.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c < 0x80 && (c == 0 || !strchr(plain, c)))
            return false;
    }
    return path.n > 0 && path.p[path.n - 1] != ':';
}

static void add_escaped(struct buf *out, struct str path)
{
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == ' ' || c == '#')
            buf_char(out, '\\');
        if (c == '$')
            buf_char(out, '$');
        buf_char(out, c);
    }
}

/* As the graph names it: relative to the root when below it. */
static void add_name(struct buf *out, const struct plan *plan, struct str path)
{
    struct buf name = {0};
    if (path_under(path, plan->root))
        path_relative(&name, path, plan->root);
    else
        buf_str(&name, path);
    add_escaped(out, buf_view(&name));
    buf_release(&name);
}

void stamp_add_deps(struct strs *paths, struct arena *a, const struct record *r)
{
    for (uint32_t i = 0; i < r->n_deps; i++) {
        const struct record_dep *d = &r->deps[i];
        if (d->kind == DEP_FILE && can_be_named(d->path))
            strs_add(paths, (struct str){arena_dup(a, d->path.p, d->path.n), d->path.n});
    }
}

/* Only what exists: a missing file would make the edge dirty for ever. */
bool stamp_depfile(const struct plan *plan, const struct plan_batch *b, struct strs *paths,
                   struct err *err)
{
    struct buf path = {0}, text = {0};
    stamp_path(&path, plan, b, ".ok");
    add_name(&text, plan, buf_view(&path));
    buf_char(&text, ':');
    strs_sort(paths);
    strs_unique(paths);
    for (size_t i = 0, n = 0; i < paths->n && n < MAX_ENTRIES; i++) {
        if (io_stat_path(paths->items[i].p).kind != IO_FILE)
            continue;
        buf_z(&text, " \\\n  ");
        add_name(&text, plan, paths->items[i]);
        n++;
    }
    buf_char(&text, '\n');
    buf_clear(&path);
    stamp_path(&path, plan, b, ".d");
    bool ok = io_replace(path.p, buf_view(&text), err);
    buf_release(&path);
    buf_release(&text);
    return ok;
}
