#include "generator/config/config_file.h"

#include "runtime/base/io.h"

#include <stdlib.h>
#include <string.h>

struct finder {
    struct config_loader *loader;
    struct config_found *out;
    struct str cwd, pyproject; /* pyproject: the first one seen, although it says nothing */
    struct err *err;
};

static const struct { const char *name; int from; } names[] = {
    {"pytest.toml", 900}, {".pytest.toml", 900}, {"pytest.ini", 0},  {".pytest.ini", 702},
    {"pyproject.toml", 0}, {"tox.ini", 0},       {"setup.cfg", 0},
};
enum { N_NAMES = sizeof names / sizeof *names };

static struct str keep(struct finder *f, struct str a, struct str b)
{
    struct buf path = {0};
    path_join(&path, a, b);
    struct str s = {arena_dup(f->loader->arena, path.p, path.n), path.n};
    buf_release(&path);
    return s;
}

static enum io_kind kind_at(struct finder *f, struct str dir, struct str name)
{
    return io_stat_path(keep(f, dir, name).p).kind;
}

static struct str parent(struct str path)
{
    struct str up = path_dir(path);
    return up.n ? up : STR("/");
}

/* pytest 9 reads the files of less weight too, only to warn that they are ignored. */
static bool check_rest(struct finder *f, struct str dir, size_t from)
{
    bool ok = true;
    for (size_t i = from; i < N_NAMES && ok && f->loader->pytest >= 900; i++) {
        struct config_dict ignored = {0};
        struct str path = keep(f, dir, str_z(names[i].name));
        if (io_stat_path(path.p).kind == IO_FILE)
            ok = config_file_load(f->loader, path, &ignored, f->err) >= 0;
        config_dict_release(&ignored);
    }
    return ok;
}

/* -1: error, 0: nothing in this directory, 1: found. */
static int look_in(struct finder *f, struct str dir)
{
    for (size_t i = 0; i < N_NAMES; i++) {
        struct str path;
        if (names[i].from > f->loader->pytest)
            continue;
        path = keep(f, dir, str_z(names[i].name));
        if (io_stat_path(path.p).kind != IO_FILE)
            continue;
        if (!f->pyproject.n && strcmp(names[i].name, "pyproject.toml") == 0)
            f->pyproject = path;
        int found = config_file_load(f->loader, path, &f->out->dict, f->err);
        if (found < 0)
            return -1;
        if (found) {
            f->out->root = dir;
            f->out->ini = path;
            return check_rest(f, dir, i + 1) ? 1 : -1;
        }
    }
    return 0;
}

/* locate_config: the first configuration at or above one of the paths. */
static bool locate(struct finder *f, const struct strs *from)
{
    f->pyproject = STR("");
    for (size_t i = 0; i < from->n; i++) {
        for (struct str dir = from->items[i];; dir = parent(dir)) {
            int found = look_in(f, dir);
            if (found)
                return found > 0;
            if (dir.n <= 1)
                break;
        }
    }
    if (f->pyproject.n && f->loader->pytest >= 801) {
        f->out->root = parent(f->pyproject);
        f->out->ini = f->pyproject;
    }
    return true;
}

static struct str common(struct str a, struct str b)
{
    while (!path_under(b, a))
        a = parent(a);
    return a;
}

static struct str common_ancestor(struct finder *f, const struct strs *dirs)
{
    struct str found = dirs->n ? dirs->items[0] : f->cwd;
    for (size_t i = 1; i < dirs->n; i++)
        found = common(found, dirs->items[i]);
    return found;
}

/* The directories of the paths that are there. */
static void dirs_of(struct finder *f, const struct strs *paths, struct strs *out)
{
    for (size_t i = 0; i < paths->n; i++) {
        struct str arg = paths->items[i];
        const char *names_at = arg.n ? memmem(arg.p, arg.n, "::", 2) : NULL;
        if (arg.n && arg.p[0] == '-')
            continue;
        struct str path = keep(f, f->cwd, names_at ? str_slice(arg, 0, (size_t)(names_at - arg.p)) : arg);
        enum io_kind kind = io_stat_path(path.p).kind;
        if (kind != IO_ABSENT)
            strs_add(out, kind == IO_DIR ? path : parent(path));
    }
}

/* No configuration: the first setup.py at or above, else what the arguments have in common. */
static bool root_without_file(struct finder *f, const struct strs *dirs, struct str ancestor)
{
    for (struct str dir = ancestor;; dir = parent(dir)) {
        if (kind_at(f, dir, STR("setup.py")) == IO_FILE) {
            f->out->root = dir;
            return true;
        }
        if (dir.n <= 1)
            break;
    }
    if (!(dirs->n == 1 && str_eq(dirs->items[0], ancestor)) && !locate(f, dirs))
        return false;
    if (f->out->root.n)
        return true;
    f->out->root = common(f->cwd, ancestor);
    if (f->out->root.n <= 1)
        f->out->root = ancestor;
    return true;
}

static bool named_file(struct finder *f, struct str given, const struct strs *dirs)
{
    struct str path = keep(f, f->cwd, given);
    enum io_kind kind = io_stat_path(path.p).kind;
    if (kind == IO_ABSENT || kind == IO_DIR)
        return err_set(f->err, "Config file '%s' %s. Check your '-c/--config-file' option.", path.p,
                       kind == IO_DIR ? "is a directory" : "not found");
    bool known = str_ends(path, STR(".ini")) || str_ends(path, STR(".cfg")) || str_ends(path, STR(".toml"));
    if (kind == IO_FILE && !known && f->loader->pytest >= 902)
        return err_set(f->err, "Config file '%s' has an unsupported format. Supported extensions are: .cfg, "
                               ".ini, .toml.", path.p);
    f->out->ini = path;
    f->out->root = parent(path);
    if (kind == IO_FILE)
        return config_file_load(f->loader, path, &f->out->dict, f->err) >= 0;
    if (f->loader->pytest >= 902)
        f->out->root = common_ancestor(f, dirs);
    if (f->out->root.n <= 1)
        f->out->root = f->cwd;
    return true;
}

void config_find_expand(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        bool braced = i + 1 < s.n && s.p[i] == '$' && s.p[i + 1] == '{';
        size_t from = i + 1 + braced, to = from;
        while (s.p[i] == '$' && to < s.n && (s.p[to] == '_' || (s.p[to] | 32) - 'a' + 0u < 26u ||
                                            s.p[to] - '0' + 0u < 10u))
            to++;
        struct buf name = {0};
        buf_str(&name, str_slice(s, from, to));
        bool whole = to > from && (!braced || (to < s.n && s.p[to] == '}'));
        const char *value = whole ? getenv(name.p) : NULL;
        if (value) {
            buf_z(out, value);
            i = to - 1 + braced;
        } else {
            buf_char(out, s.p[i]);
        }
        buf_release(&name);
    }
}

static bool named_root(struct finder *f, struct str given)
{
    struct buf b = {0};
    config_find_expand(given, &b);
    f->out->root = keep(f, f->cwd, buf_view(&b));
    buf_release(&b);
    return io_stat_path(f->out->root.p).kind == IO_DIR ||
           err_set(f->err, "Directory '%s' not found. Check your '--rootdir' option.", f->out->root.p);
}

bool config_find_overrides(struct config_dict *d, const struct strs *overrides, struct arena *a,
                           struct err *err)
{
    for (size_t i = 0; i < overrides->n; i++) {
        struct str s = overrides->items[i];
        size_t eq = str_chr(s, '=');
        if (eq == s.n)
            return err_set(err, "-o/--override-ini expects option=value style (got: '%.*s').", (int)s.n, s.p);
        struct toml_value *v = arena_alloc(a, sizeof *v);
        *v = (struct toml_value){.type = TOML_STRING, .text = str_slice(s, eq + 1, s.n)};
        config_dict_put(d, (struct config_value){.name = str_slice(s, 0, eq), .value = v, .override = true});
    }
    return true;
}

bool config_find(struct config_found *out, struct config_loader *l, const struct config_args *args,
                 struct str cwd, struct err *err)
{
    struct finder f = {.loader = l, .out = out, .cwd = cwd, .err = err};
    struct strs dirs = {0}, start = {0};
    bool ok;
    out->root = out->ini = STR("");
    dirs_of(&f, &args->paths, &dirs);
    if (args->inifile.n) {
        ok = named_file(&f, args->inifile, &dirs);
    } else {
        strs_add(&start, common_ancestor(&f, &dirs));
        ok = locate(&f, &start);
        if (ok && !out->root.n && !args->rootdir.n)
            ok = root_without_file(&f, &dirs, start.items[0]);
    }
    if (ok && args->rootdir.n)
        ok = named_root(&f, args->rootdir);
    strs_release(&dirs);
    strs_release(&start);
    return ok && config_find_overrides(&out->dict, &args->overrides, l->arena, err);
}
