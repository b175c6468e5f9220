/* Interpreters whose layout we do not know (pyenv's shims, frameworks, distributions with ways of
 * their own) are asked once; the answer is kept under what decides it. */
#include "generator/config/ask.h"
#include "generator/config/interp_layout.h"

#include "runtime/base/pack.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char magic[8] = "FSTINTP\n";
enum { VERSION = 1 };

/* -I leaves out the directory of the user and PYTHONPATH, which are ours to add. */
static const char script[] =
    "import os, site, sys, sysconfig\n"
    "def put(key, value):\n"
    "    if value and '\\n' not in value:\n"
    "        sys.stdout.buffer.write(os.fsencode(key + '\\t' + value + '\\n'))\n"
    "sites = [os.path.abspath(p) for p in getattr(site, 'getsitepackages', list)()]\n"
    "own = sys.prefix != sys.base_prefix\n"
    "user = len(getattr(site, 'PREFIXES', [])) > 1 or not own\n"
    "put('executable', os.path.abspath(sys.executable))\n"
    "put('version', '%d.%d.%d' % sys.version_info[:3])\n"
    "put('scripts', sysconfig.get_path('scripts'))\n"
    "put('user', site.getusersitepackages() if user else '')\n"
    "for p in sys.path:\n"
    "    p = os.path.abspath(p)\n"
    "    if p in sites:\n"
    "        break\n"
    "    put('std', p)\n"
    "for p in sites:\n"
    "    put('first' if own and p.startswith(sys.prefix + '/') else 'site', p)\n"
    "for n in ('stdlib', 'platstdlib', 'purelib', 'platlib'):\n"
    "    put('third', sysconfig.get_path(n))\n"
    "put('third', os.path.dirname(os.__file__))\n"
    "put('third', os.path.join(os.path.dirname(os.__file__), 'lib-dynload'))\n"
    "put('end', '1')\n";

static void hash_file(struct hasher *h, const char *path)
{
    struct buf b = {0};
    bool there = io_read(path, 1 << 16, &b, NULL);
    hasher_u64(h, there);
    hasher_str(h, buf_view(&b));
    buf_release(&b);
}

static void hash_pyenv(struct hasher *h, const char *cwd, struct arena *a)
{
    const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
    for (struct str dir = str_z(cwd); dir.n; dir = path_dir(dir))
        hash_file(h, interp_format(a, "%.*s/.python-version", (int)dir.n, dir.p).p);
    if (root && *root)
        hash_file(h, interp_format(a, "%s/version", root).p);
    else
        hash_file(h, interp_format(a, "%s/.pyenv/version", home ? home : "").p);
}

static struct hash128 question(struct str python, const char *cwd, struct arena *a)
{
    static const char *const variables[] = {"PYENV_VERSION", "PYENV_ROOT", "PYTHONHOME", "PYTHONNOUSERSITE",
                                            "PYTHONUSERBASE", "HOME", "PATH"};
    struct io_stat st = io_stat_path(python.p);
    struct hasher *h = hasher_new();
    hasher_str(h, str_z(script));
    hasher_str(h, python);
    hasher_u64(h, st.size_bytes);
    hasher_u64(h, (uint64_t)st.mtime_ns);
    hasher_u64(h, (uint64_t)st.ctime_ns);
    hasher_u64(h, st.inode);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        hasher_str(h, str_z(getenv(variables[i])));
    hash_pyenv(h, cwd, a);
    return hasher_done(h);
}

/* "" when there is no place for it. */
static struct str cache_dir(struct arena *a)
{
    const char *own = getenv("FASTEST_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (own && *own)
        return str_z(arena_dup(a, own, strlen(own)));
    if (xdg && *xdg)
        return interp_format(a, "%s/fastest", xdg);
    return home && *home ? interp_format(a, "%s/.cache/fastest", home) : STR("");
}

static bool ask(struct str python, const char *cwd, struct buf *out, struct err *err)
{
    const char *home = getenv("PYTHONHOME");
    char *argv[] = {(char *)(uintptr_t)python.p, (char *)(uintptr_t)(home && *home ? "-s" : "-I"),
                    (char *)(uintptr_t)"-c", (char *)(uintptr_t)script, NULL};
    int status = 0;
    if (!ask_program(argv, cwd, true, out, &status, err))
        return false;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && str_ends(buf_view(out), STR("end\t1\n")))
        return true;
    return err_set(err, "%s: does not tell where its packages are (status %d); does `%s --version` work? "
                        "name another with --python", python.p, status, python.p);
}

static void set_version(struct interp_layout *x, struct str s)
{
    unsigned major = 0, minor = 0;
    int micro = -1;
    struct buf b = {0};
    buf_str(&b, s);
    if (b.n && sscanf(b.p, "%3u.%3u.%5d", &major, &minor, &micro) >= 2) {
        x->major = major;
        x->minor = minor;
        x->micro = micro;
    }
    buf_release(&b);
}

static bool take_answer(struct interp_layout *x, struct str text, struct arena *a)
{
    static const struct { const char *key; size_t one, list; } lines[] = {
        {"executable", offsetof(struct interp_layout, executable), 0},
        {"scripts", offsetof(struct interp_layout, scripts), 0},
        {"user", offsetof(struct interp_layout, user_site), 0},
        {"std", 0, offsetof(struct interp_layout, std)},
        {"first", 0, offsetof(struct interp_layout, first_sites)},
        {"site", 0, offsetof(struct interp_layout, sites)},
        {"third", 0, offsetof(struct interp_layout, third)},
    };
    struct str rest = text, line;
    while (text.n && str_next(&rest, '\n', &line)) {
        size_t tab = str_chr(line, '\t');
        struct str key = str_slice(line, 0, tab), value = str_slice(line, tab + 1, line.n);
        value = (struct str){arena_dup(a, value.p ? value.p : "", value.n), value.n};
        if (str_eq(key, STR("version")))
            set_version(x, value);
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
            if (!str_eq(key, str_z(lines[i].key)))
                continue;
            if (lines[i].list)
                strs_add((struct strs *)(void *)((char *)x + lines[i].list), value);
            else
                *(struct str *)(void *)((char *)x + lines[i].one) = value;
        }
    }
    const char *off = getenv("PYTHONNOUSERSITE");
    if (off && *off)
        x->user_site = STR("");
    return x->major == 3 && x->std.n > 0;
}

bool interp_layout_ask(struct interp_layout *x, struct str python, const char *cwd, struct arena *a,
                       struct err *err)
{
    char hex[33];
    struct buf file = {0}, answer = {0};
    struct unpack u;
    struct str dir = cache_dir(a), path = STR("");
    hash128_hex(question(python, cwd, a), hex);
    *x = (struct interp_layout){.executable = python, .scripts = STR(""), .user_site = STR(""), .micro = -1};
    if (dir.n)
        path = interp_format(a, "%s/interp-%.16s.bin", dir.p, hex);
    if (dir.n && pack_open(path.p, magic, VERSION, &file, &u)) {
        struct str kept = unpack_str(&u);
        if (!u.bad)
            buf_str(&answer, kept);
    }
    bool ok = answer.n && take_answer(x, buf_view(&answer), a);
    if (!ok) {
        struct buf payload = {0};
        interp_layout_release(x);
        buf_clear(&answer);
        ok = ask(python, cwd, &answer, err) &&
             (take_answer(x, buf_view(&answer), a) ||
              err_set(err, "%s: not a Python 3; name another with --python", python.p));
        pack_str(&payload, buf_view(&answer));
        if (ok && dir.n && io_mkdirs(dir.p, NULL)) /* not being able to keep it is no error */
            pack_save(path.p, magic, VERSION, &payload, NULL);
        buf_release(&payload);
    }
    buf_release(&file);
    buf_release(&answer);
    return ok;
}
