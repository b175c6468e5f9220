#include "generator/config/interp.h"
#include "generator/config/interp_layout.h"

#include "runtime/base/io.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* What pyvenv.cfg says (site.py of CPython 3.8 to 3.14; virtualenv and uv write version_info). */
struct venv {
    struct str dir, home;
    bool found, system_site;
};

struct str interp_format(struct arena *a, const char *fmt, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    struct str s = {arena_dup(a, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return s;
}

static bool is_kind(enum io_kind kind, struct arena *a, struct str dir, const char *name)
{
    return io_stat_path(interp_format(a, "%.*s/%s", (int)dir.n, dir.p, name).p).kind == kind;
}

static bool number(struct str s, uint32_t *out)
{
    *out = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || *out > 9999)
            return false;
        *out = *out * 10 + (uint32_t)(s.p[i] - '0');
    }
    return s.n > 0;
}

/* 3.11.7 or 3.11.7.final.0 */
static bool read_version(struct interp_layout *x, struct str version)
{
    struct str part;
    uint32_t micro;
    if (!str_next(&version, '.', &part) || !number(part, &x->major) || !str_next(&version, '.', &part) ||
        !number(part, &x->minor))
        return false;
    x->micro = str_next(&version, '.', &part) && number(part, &micro) ? (int)micro : -1;
    return true;
}

static bool lower_is(struct str s, const char *want)
{
    size_t n = strlen(want);
    return s.n == n && strncasecmp(s.p, want, n) == 0;
}

static void read_cfg(struct interp_layout *x, struct venv *v, struct str text, struct arena *a)
{
    struct str rest = {text.p, text.n}, line;
    v->system_site = true; /* site.py: unless the file says false */
    while (text.n && str_next(&rest, '\n', &line)) {
        size_t eq = str_chr(line, '=');
        struct str key = str_trim(str_slice(line, 0, eq)), value = str_trim(str_slice(line, eq + 1, line.n));
        if (lower_is(key, "home"))
            v->home = (struct str){arena_dup(a, value.p ? value.p : "", value.n), value.n};
        else if (lower_is(key, "include-system-site-packages"))
            v->system_site = lower_is(value, "true");
        else if (lower_is(key, "version") || lower_is(key, "version_info"))
            read_version(x, value);
    }
}

static void find_venv(struct interp_layout *x, struct venv *v, struct str bin, struct arena *a)
{
    struct str dirs[] = {bin, path_dir(bin)};
    struct buf text = {0};
    v->home = STR("");
    for (size_t i = 0; i < 2 && !v->found; i++)
        v->found = io_read(interp_format(a, "%.*s/pyvenv.cfg", (int)dirs[i].n, dirs[i].p).p, 1 << 16, &text,
                           NULL);
    if (v->found)
        read_cfg(x, v, buf_view(&text), a);
    v->dir = path_dir(bin);
    buf_release(&text);
}

static bool is_program(const char *path)
{
    char magic[2];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = fd >= 0 && io_read_full(fd, magic, 2) == 2 && memcmp(magic, "#!", 2) != 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The directory at or above `from` with lib/pythonX.Y/os.py; "" when there is none. */
static struct str search_up(const struct interp_layout *x, struct str from, struct arena *a)
{
    for (struct str dir = from; dir.n; dir = path_dir(dir)) {
        struct str landmark = interp_format(a, "%.*s/lib/python%u.%u/os.py", (int)dir.n, dir.p, x->major,
                                            x->minor);
        if (access(landmark.p, F_OK) == 0)
            return dir;
    }
    return STR("");
}

static struct str find_base(struct interp_layout *x, const struct venv *v, struct str real,
                            struct arena *a)
{
    struct str name = path_base(real), base = STR("");
    if (!x->major && (!str_starts(name, STR("python")) || !read_version(x, str_slice(name, 6, name.n))))
        return base;
    if (v->home.n && v->home.p[0] == '/')
        base = search_up(x, v->home, a);
    if (!base.n)
        base = search_up(x, path_dir(real), a);
    return base;
}

static void add(struct strs *l, struct str s)
{
    if (!strs_has(l, s))
        strs_add(l, s);
}

/* site.getsitepackages for one prefix; Debian's has dist-packages and, in environments, more. */
static void add_sites(struct interp_layout *x, struct strs *out, struct str prefix, bool debian,
                      bool in_venv, struct arena *a)
{
    int n = (int)prefix.n;
    if (!debian || in_venv)
        add(out, interp_format(a, "%.*s/lib/python%u.%u/site-packages", n, prefix.p, x->major, x->minor));
    if (!debian)
        return;
    add(out, interp_format(a, "%.*s/local/lib/python%u.%u/dist-packages", n, prefix.p, x->major, x->minor));
    add(out, interp_format(a, "%.*s/lib/python3/dist-packages", n, prefix.p));
    add(out, interp_format(a, "%.*s/lib/python%u.%u/dist-packages", n, prefix.p, x->major, x->minor));
}

static struct str user_site(const struct interp_layout *x, struct arena *a)
{
    const char *off = getenv("PYTHONNOUSERSITE"), *base = getenv("PYTHONUSERBASE"), *home = getenv("HOME");
    if ((off && *off) || geteuid() != getuid() || getegid() != getgid())
        return STR("");
    if (base && *base)
        return interp_format(a, "%s/lib/python%u.%u/site-packages", base, x->major, x->minor);
    if (!home || !*home)
        return STR("");
    return interp_format(a, "%s/.local/lib/python%u.%u/site-packages", home, x->major, x->minor);
}

static void lay_out(struct interp_layout *x, const struct venv *v, struct str base, struct arena *a)
{
    bool debian = str_eq(base, STR("/usr")) && is_kind(IO_DIR, a, base, "lib/python3/dist-packages");
    struct str prefix = v->found ? v->dir : base;
    int n = (int)base.n;
    struct str lib = interp_format(a, "%.*s/lib/python%u.%u", n, base.p, x->major, x->minor);
    strs_add(&x->std, interp_format(a, "%.*s/lib/python%u%u.zip", n, base.p, x->major, x->minor));
    strs_add(&x->std, lib);
    strs_add(&x->std, interp_format(a, "%s/lib-dynload", lib.p));
    if (v->found)
        add_sites(x, &x->first_sites, prefix, debian, true, a);
    if (!v->found || v->system_site) {
        add_sites(x, &x->sites, base, debian, v->found, a);
        x->user_site = user_site(x, a);
    }
    bool local = debian && !v->found;
    x->scripts = local ? STR("/usr/local/bin") : interp_format(a, "%.*s/bin", (int)prefix.n, prefix.p);
    strs_add(&x->third, interp_format(a, "%.*s/lib/python%u.%u", (int)prefix.n, prefix.p, x->major,
                                      x->minor));
}

bool interp_layout_know(struct interp_layout *x, struct str python, struct arena *a)
{
    char real[PATH_MAX];
    struct venv v = {0};
    const char *home = getenv("PYTHONHOME");
    *x = (struct interp_layout){.executable = python, .scripts = STR(""), .user_site = STR(""), .micro = -1};
    if ((home && *home) || !realpath(python.p, real) || !is_program(real))
        return false;
    find_venv(x, &v, path_dir(python), a);
    struct str base = find_base(x, &v, str_z(arena_dup(a, real, strlen(real))), a);
    if (!base.n || x->major != 3 || str_contains(base, STR(".framework/")) ||
        str_contains(path_base(str_z(real)), STR("pypy")))
        return false;
    base = (struct str){arena_dup(a, base.p, base.n), base.n};
    lay_out(x, &v, base, a);
    if (v.found && io_stat_path(x->first_sites.items[0].p).kind == IO_DIR)
        return true;
    if (!v.found && io_stat_path(x->std.items[2].p).kind == IO_DIR)
        return true;
    interp_layout_release(x);
    return false;
}

void interp_layout_release(struct interp_layout *x)
{
    strs_release(&x->std);
    strs_release(&x->first_sites);
    strs_release(&x->sites);
    strs_release(&x->third);
}
