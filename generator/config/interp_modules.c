#include "generator/config/interp.h"
#include "generator/config/interp_layout.h"

#include "generator/files/dirs.h"

/* sys.builtin_module_names and the frozen names of ordinary builds, with the Pythons (3.from to
 * 3.to) that have them. */
struct builtin {
    const char *name;
    unsigned from, to;
};
static const struct builtin builtins[] = {
    {"_abc", 7, 99}, {"_ast", 6, 99}, {"_codecs", 0, 99}, {"_collections", 0, 99}, {"_functools", 0, 99},
    {"_imp", 0, 99}, {"_io", 0, 99}, {"_locale", 0, 99}, {"_operator", 0, 99}, {"_peg_parser", 9, 9},
    {"_signal", 0, 99}, {"_sre", 0, 99}, {"_stat", 0, 99}, {"_string", 0, 99}, {"_suggestions", 13, 99},
    {"_symtable", 0, 99}, {"_sysconfig", 13, 99}, {"_thread", 0, 99}, {"_tokenize", 11, 99},
    {"_tracemalloc", 0, 99}, {"_types", 14, 99}, {"_typing", 12, 99}, {"_warnings", 0, 99},
    {"_weakref", 0, 99}, {"atexit", 0, 99}, {"builtins", 0, 99}, {"errno", 0, 99}, {"faulthandler", 0, 99},
    {"gc", 0, 99}, {"itertools", 0, 99}, {"marshal", 0, 99}, {"posix", 0, 99}, {"pwd", 0, 99},
    {"sys", 0, 99}, {"time", 0, 99}, {"xxsubtype", 0, 11}, {"_frozen_importlib", 0, 99},
    {"_frozen_importlib_external", 0, 99}, {"zipimport", 0, 99}, {"__hello__", 0, 99},
    {"__phello__", 0, 99}, {"__main__", 0, 99},
};
/* What Debian's and other such builds link in too; elsewhere these are files of lib-dynload. */
static const struct builtin linked[] = {
    {"_bisect", 0, 99}, {"_blake2", 0, 99}, {"_csv", 0, 99}, {"_datetime", 0, 99}, {"_elementtree", 0, 99},
    {"_heapq", 0, 99}, {"_md5", 0, 99}, {"_opcode", 0, 99}, {"_pickle", 0, 99}, {"_posixsubprocess", 0, 99},
    {"_random", 0, 99}, {"_sha1", 0, 99}, {"_sha2", 12, 99}, {"_sha256", 0, 11}, {"_sha3", 0, 99},
    {"_sha512", 0, 11}, {"_socket", 0, 99}, {"_statistics", 8, 99}, {"_struct", 0, 99}, {"array", 0, 99},
    {"binascii", 0, 99}, {"cmath", 0, 99}, {"fcntl", 0, 99}, {"grp", 0, 99}, {"math", 0, 99},
    {"pyexpat", 0, 99}, {"select", 0, 99}, {"spwd", 0, 12}, {"syslog", 0, 99}, {"unicodedata", 0, 99},
    {"zlib", 0, 99},
};

/* name.py, name.pyc, name.so, name.abi3.so, name.cpython-….so */
static struct str module_of(struct str file)
{
    struct str name = str_slice(file, 0, str_chr(file, '.')), rest = str_slice(file, name.n, file.n);
    bool ok = str_eq(rest, STR(".py")) || str_eq(rest, STR(".pyc")) || str_eq(rest, STR(".so")) ||
              str_eq(rest, STR(".abi3.so")) ||
              (str_starts(rest, STR(".cpython-")) && str_ends(rest, STR(".so")));
    return ok ? name : STR("");
}

bool interp_holds_module(const struct dir *d, struct str name)
{
    for (size_t i = dir_lower(d, name); i < d->list.n; i++) {
        struct str file = str_z(d->list.items[i].name);
        bool may_be_dir = d->list.items[i].kind == IO_DIR || d->list.items[i].kind == IO_ABSENT;
        if (!str_starts(file, name))
            return false;
        if ((may_be_dir && file.n == name.n) || str_eq(module_of(file), name))
            return true;
    }
    return false;
}

static bool is_listed(const struct interp *x, struct dirs *dirs, struct str name)
{
    for (size_t i = 0; i < x->path.n; i++)
        if (x->path.items[i].n && interp_holds_module(dirs_open(dirs, x->path.items[i]), name))
            return true;
    return false;
}

static bool is_in(const struct interp *x, const struct builtin *list, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_z(list[i].name)))
            return x->minor >= list[i].from && x->minor <= list[i].to;
    return false;
}

int interp_has_module(const struct interp *x, struct dirs *dirs, struct str name)
{
    bool plain = name.n && str_chr(name, '.') == name.n && str_chr(name, '-') == name.n;
    if (plain && (is_in(x, builtins, sizeof builtins / sizeof *builtins, name) || is_listed(x, dirs, name)))
        return 1;
    if (is_in(x, linked, sizeof linked / sizeof *linked, name) && !is_listed(x, dirs, STR("math")))
        return 1;
    return x->unsure_path ? -1 : 0;
}
