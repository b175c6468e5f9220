#include "generator/config/config_paths.h"

#include "runtime/base/io.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 64, MAX_FOUND = 200000 };

struct glob {
    struct str cwd;
    struct arena *arena;
    struct strs *out;
    size_t start;
};

static bool has_magic(struct str s)
{
    return str_chr(s, '*') < s.n || str_chr(s, '?') < s.n || str_chr(s, '[') < s.n;
}

static struct str keep(struct arena *a, struct str s)
{
    return (struct str){arena_dup(a, s.p ? s.p : "", s.n), s.n};
}

/* prefix + name, as os.path.join has it. */
static struct str join(struct arena *a, struct str prefix, struct str name)
{
    struct buf b = {0};
    buf_str(&b, prefix);
    if (prefix.n && prefix.p[prefix.n - 1] != '/')
        buf_char(&b, '/');
    buf_str(&b, name);
    struct str s = keep(a, buf_view(&b));
    buf_release(&b);
    return s;
}

static struct str absolute(struct glob *g, struct str path)
{
    struct buf b = {0};
    path_join(&b, g->cwd, path);
    struct str s = keep(g->arena, buf_view(&b));
    buf_release(&b);
    return s;
}

static bool is_dir(struct glob *g, struct str path)
{
    return io_stat_path(absolute(g, path).p).kind == IO_DIR;
}

static void found(struct glob *g, struct str path)
{
    if (path.n && g->out->n - g->start < MAX_FOUND)
        strs_add(g->out, path);
}

static void expand(struct glob *g, struct str prefix, struct str rest, int depth);

static bool matches(struct glob *g, struct str pattern, const char *name)
{
    if (name[0] == '.' && !(pattern.n && pattern.p[0] == '.'))
        return false;
    return fnmatch(keep(g->arena, pattern).p, name, FNM_NOESCAPE) == 0;
}

/* A component with wildcards. */
static void expand_list(struct glob *g, struct str prefix, struct str part, struct str rest, bool last,
                        int depth)
{
    struct io_list l;
    if (!io_listdir(absolute(g, prefix).p, &l))
        return;
    for (size_t i = 0; i < l.n; i++) {
        if (!matches(g, part, l.items[i].name))
            continue;
        struct str path = join(g->arena, prefix, str_z(l.items[i].name));
        if (last)
            found(g, path);
        else if (is_dir(g, path))
            expand(g, path, rest, depth + 1);
    }
    io_list_release(&l);
}

/* "**": this directory and all that is below it and not hidden. */
static void expand_tree(struct glob *g, struct str prefix, struct str rest, bool last, int depth)
{
    struct io_list l;
    if (depth > MAX_DEPTH || g->out->n - g->start >= MAX_FOUND)
        return;
    if (!last)
        expand(g, prefix, rest, depth + 1);
    if (!io_listdir(absolute(g, prefix).p, &l))
        return;
    for (size_t i = 0; i < l.n; i++) {
        if (l.items[i].name[0] == '.')
            continue;
        struct str path = join(g->arena, prefix, str_z(l.items[i].name));
        if (last)
            found(g, path);
        if (l.items[i].kind == IO_DIR || (l.items[i].kind != IO_FILE && is_dir(g, path)))
            expand_tree(g, path, rest, last, depth + 1);
    }
    io_list_release(&l);
}

static void expand(struct glob *g, struct str prefix, struct str rest, int depth)
{
    size_t slash = str_chr(rest, '/');
    struct str part = str_slice(rest, 0, slash), after = str_slice(rest, slash + 1, rest.n);
    bool last = slash == rest.n;
    struct stat st;
    if (depth > MAX_DEPTH)
        return;
    if (str_eq(part, STR("**"))) {
        if (last && prefix.n && is_dir(g, prefix))
            found(g, join(g->arena, prefix, STR("")));
        expand_tree(g, prefix, after, last, depth);
    } else if (has_magic(part)) {
        expand_list(g, prefix, part, after, last, depth);
    } else {
        struct str path = join(g->arena, prefix, part);
        if (!last)
            expand(g, path.n ? path : STR("/"), after, depth + 1);
        else if (part.n ? lstat(absolute(g, path).p, &st) == 0 : is_dir(g, path))
            found(g, path);
    }
}

void config_glob(struct str pattern, struct str cwd, struct arena *a, struct strs *out)
{
    struct glob g = {cwd, a, out, out->n};
    if (pattern.n && !memchr(pattern.p, '\0', pattern.n))
        expand(&g, STR(""), pattern, 0);
    struct strs mine = {out->items + g.start, out->n - g.start, 0};
    if (mine.n > 1)
        strs_sort(&mine);
}

static bool is_file(struct arena *a, struct str dir, struct str name, const char *suffix, struct str *path)
{
    struct buf b = {0};
    path_join(&b, dir, name);
    buf_z(&b, suffix);
    bool yes = io_stat_path(b.p).kind == IO_FILE;
    if (yes)
        *path = keep(a, buf_view(&b));
    buf_release(&b);
    return yes;
}

/* The first of the directories that has the module; a package's are its directory. 0 when none. */
static int find_part(struct str name, const struct strs *dirs, struct arena *a, struct str *path,
                     struct strs *spaces)
{
    for (size_t i = 0; i < dirs->n; i++) {
        struct str dir = join(a, dirs->items[i], name);
        if (is_file(a, dir, STR("__init__.py"), "", path)) {
            *path = dir;
            return 2;
        }
        if (is_file(a, dirs->items[i], name, ".py", path))
            return 1;
        if (io_stat_path(dir.p).kind == IO_DIR)
            strs_add(spaces, dir);
    }
    return spaces->n ? 3 : 0;
}

struct str config_pyarg(struct str name, const struct strs *path, struct arena *a)
{
    struct strs dirs = {0};
    struct str rest = name, part, result = name;
    bool ok = name.n > 0;
    for (size_t i = 0; i < path->n; i++)
        strs_add(&dirs, path->items[i]);
    while (ok && str_next(&rest, '.', &part)) {
        struct strs spaces = {0};
        int kind = part.n && str_chr(part, '/') == part.n ? find_part(part, &dirs, a, &result, &spaces) : 0;
        ok = kind > 1 || (kind == 1 && !rest.p);
        strs_release(&dirs);
        if (kind == 2)
            strs_add(&dirs, result);
        for (size_t i = 0; kind == 3 && i < spaces.n; i++)
            strs_add(&dirs, spaces.items[i]);
        if (kind == 3 && !rest.p)
            ok = false; /* a namespace has no place of its own */
        strs_release(&spaces);
    }
    strs_release(&dirs);
    return ok ? result : name;
}
