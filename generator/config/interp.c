#include "generator/config/interp.h"

#include "generator/config/interp_layout.h"
#include "runtime/base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PTH_BYTES = 1 << 20 };

/* The first python3 on PATH, or `name` as given; its absolute path. */
static bool search_path(const char *name, const char *cwd, struct buf *out)
{
    struct str rest = str_z(getenv("PATH")), dir;
    buf_clear(out);
    if (strchr(name, '/')) {
        path_join(out, str_z(cwd), str_z(name));
        return true;
    }
    while (str_next(&rest, ':', &dir)) {
        buf_clear(out);
        path_join(out, str_z(cwd), dir.n ? dir : STR("."));
        buf_printf(out, "/%s", name);
        if (access(out->p, X_OK) == 0 && io_stat_path(out->p).kind == IO_FILE)
            return true;
    }
    return false;
}

bool interp_choose(const char *python, const char *cwd, struct buf *out, struct err *err)
{
    const char *venv = getenv("VIRTUAL_ENV");
    if (python)
        return (search_path(python, cwd, out) && access(out->p, X_OK) == 0) ||
               err_set(err, "%s: no such interpreter; name one with --python", python);
    if (venv && *venv) {
        buf_clear(out);
        buf_printf(out, "%s/bin/python", venv);
        return access(out->p, X_OK) == 0 ||
               err_set(err, "%s: no such interpreter (VIRTUAL_ENV is set); deactivate that environment or "
                            "name an interpreter with --python", out->p);
    }
    return search_path("python3", cwd, out) ||
           err_set(err, "python3: not found on PATH; name an interpreter with --python");
}

static bool add(struct interp *x, struct str dir)
{
    if (strs_has(&x->path, dir))
        return false;
    strs_add(&x->path, (struct str){arena_dup(&x->arena, dir.p, dir.n), dir.n});
    return true;
}

static void add_joined(struct interp *x, struct str base, struct str dir)
{
    struct buf b = {0};
    path_join(&b, base, dir);
    add(x, buf_view(&b));
    buf_release(&b);
}

static void add_pythonpath(struct interp *x, const char *cwd)
{
    const char *value = getenv("PYTHONPATH");
    struct str rest = str_z(value), dir;
    while (value && *value && str_next(&rest, ':', &dir))
        add_joined(x, str_z(cwd), dir);
}

/* Import lines that change nothing about which modules are found: what they do is known. */
static bool is_harmless(struct str file)
{
    static const char *const names[] = {"distutils-precedence.pth", "_virtualenv.pth", "easy-install.pth",
                                        "coverage.pth", "a1_coverage.pth", "pytest-cov.pth",
                                        "init_cov_core.pth", "pywin32.pth"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(file, str_z(names[i])))
            return true;
    return str_ends(file, STR("-nspkg.pth")); /* namespace packages: the directories are there */
}

static void read_pth(struct interp *x, struct str site, struct str file)
{
    struct buf path = {0}, text = {0}, dir = {0};
    path_join(&path, site, file);
    bool ok = io_read(path.p, MAX_PTH_BYTES, &text, NULL) && text.n;
    struct str rest = buf_view(&text), line;
    while (ok && str_next(&rest, '\n', &line)) {
        if (!str_trim(line).n || line.p[0] == '#')
            continue;
        if (str_starts(line, STR("import ")) || str_starts(line, STR("import\t"))) {
            x->unsure_path = x->unsure_path || !is_harmless(file);
            continue;
        }
        while (line.n && strchr(" \t\r\f\v", line.p[line.n - 1]))
            line.n--;
        buf_clear(&dir);
        path_join(&dir, site, line);
        if (!memchr(line.p, '\0', line.n) && access(dir.p, F_OK) == 0)
            add(x, buf_view(&dir));
    }
    buf_release(&path);
    buf_release(&text);
    buf_release(&dir);
}

/* site.addsitedir: the directory, then what its .pth files say, in order of their names. */
static void add_site(struct interp *x, struct str site)
{
    struct io_list l;
    struct buf b = {0};
    path_join(&b, STR("/"), site);
    if (io_stat_path(b.p).kind == IO_DIR && io_listdir(b.p, &l)) {
        add(x, buf_view(&b));
        for (size_t i = 0; i < l.n; i++) {
            struct str name = str_z(l.items[i].name);
            if (str_ends(name, STR(".pth")) && name.p[0] != '.')
                read_pth(x, buf_view(&b), name);
        }
        io_list_release(&l);
    }
    buf_release(&b);
}

static void check_customize(struct interp *x)
{
    struct buf b = {0};
    for (size_t i = 0; i < x->path.n; i++) {
        static const char *const names[] = {"sitecustomize.py", "usercustomize.py"};
        for (size_t k = 0; k < 2 && !str_contains(x->path.items[i], STR("/usr/lib/python3")); k++) {
            buf_clear(&b);
            path_join(&b, x->path.items[i], str_z(names[k]));
            x->unsure_path = x->unsure_path || access(b.p, F_OK) == 0;
        }
    }
    buf_release(&b);
}

static void build_path(struct interp *x, const struct interp_layout *l, const char *cwd)
{
    add_pythonpath(x, cwd);
    for (size_t i = 0; i < l->std.n; i++)
        add(x, l->std.items[i]);
    for (size_t i = 0; i < l->first_sites.n; i++)
        add_site(x, l->first_sites.items[i]);
    if (l->user_site.n)
        add_site(x, l->user_site);
    for (size_t i = 0; i < l->sites.n; i++)
        add_site(x, l->sites.items[i]);
    check_customize(x);
}

/* How much of an absolute path is a directory of one of the others, or above it. */
static size_t common_part(struct str path, const struct strs *others)
{
    size_t most = 0;
    for (size_t i = 0; i < others->n; i++) {
        struct str other = others->items[i];
        size_t n = 0;
        while (n < path.n && n < other.n && path.p[n] == other.p[n])
            n++;
        bool whole = (n == path.n || path.p[n] == '/') && (n == other.n || other.p[n] == '/');
        size_t part = whole ? n : path_dir(str_slice(path, 0, n)).n;
        most = part > most ? part : most;
    }
    return most;
}

/* realpath() of a path that path_join made, or "". These share most of their directories: those of the real paths
 * before it, where there are no links, are not looked at again. */
static struct str real_path(struct interp *x, struct str path, struct strs *before)
{
    struct buf b = {0};
    char link;
    bool plain = true;
    for (size_t end = common_part(path, before); plain && end < path.n;) {
        end += 1 + str_chr(str_slice(path, end + 1, path.n), '/');
        buf_clear(&b);
        buf_str(&b, str_slice(path, 0, end));
        plain = readlink(b.p, &link, 1) < 0 && errno == EINVAL; /* it is there, and no link */
    }
    buf_release(&b);
    char *found = plain ? NULL : realpath(path.p, NULL);
    struct str real = plain ? path : found ? str_z(arena_dup(&x->arena, found, strlen(found))) : STR("");
    if (real.n)
        strs_add(before, real);
    free(found);
    return real;
}

/* The directory and what its links lead to, as probe.py gives them. */
static void add_third(struct interp *x, struct str dir, struct strs *before)
{
    struct buf b = {0};
    path_join(&b, STR("/"), dir);
    struct str plain = {arena_dup(&x->arena, b.p, b.n), b.n}, real = real_path(x, plain, before);
    if (!strs_has(&x->third, plain))
        strs_add(&x->third, plain);
    if (real.n && !strs_has(&x->third, real))
        strs_add(&x->third, real);
    buf_release(&b);
}

static void build_third(struct interp *x, const struct interp_layout *l)
{
    const struct strs *lists[] = {&l->third, &l->first_sites, &l->sites};
    struct strs real = {0};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (size_t i = 0; i < lists[k]->n; i++)
            add_third(x, lists[k]->items[i], &real);
    for (size_t i = 0; i < l->std.n; i++)
        if (!str_ends(l->std.items[i], STR(".zip")))
            add_third(x, l->std.items[i], &real);
    if (l->user_site.n)
        add_third(x, l->user_site, &real);
    if (l->scripts.n)
        add_third(x, l->scripts, &real);
    strs_release(&real);
}

static void read_dists(struct interp *x, const struct interp_layout *l)
{
    for (size_t i = 0; i < x->path.n; i++)
        if (!strs_has(&l->std, x->path.items[i]))
            interp_dist_read(x->path.items[i], &x->plugins, &x->pytest, &x->arena);
    strs_sort(&x->plugins);
    strs_unique(&x->plugins);
}

bool interp_find(struct interp *x, const char *python, const char *cwd, struct err *err)
{
    struct interp_layout l = {0};
    struct buf chosen = {0};
    *x = (struct interp){.pytest = STR(""), .micro = -1};
    bool ok = interp_choose(python, cwd, &chosen, err);
    if (ok) {
        struct buf b = {0};
        path_join(&b, str_z(cwd), buf_view(&chosen));
        x->python = (struct str){arena_dup(&x->arena, b.p, b.n), b.n};
        buf_release(&b);
        ok = interp_layout_know(&l, x->python, &x->arena) ||
             interp_layout_ask(&l, x->python, cwd, &x->arena, err);
    }
    if (ok) {
        x->executable = l.executable;
        x->scripts = l.scripts;
        x->major = l.major;
        x->minor = l.minor;
        x->micro = l.micro;
        build_path(x, &l, cwd);
        build_third(x, &l);
        read_dists(x, &l);
    }
    interp_layout_release(&l);
    buf_release(&chosen);
    return ok;
}

void interp_release(struct interp *x)
{
    strs_release(&x->path);
    strs_release(&x->third);
    strs_release(&x->plugins);
    arena_release(&x->arena);
}
