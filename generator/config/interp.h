/* The interpreter and what is installed in it, found out without starting it where the layout is one
 * that we know (virtual environments, prefixes with lib/pythonX.Y, Debian's dist-packages); else it
 * is asked once and the answer kept in the user's cache. */
#ifndef FASTEST_GENERATOR_INTERP_H
#define FASTEST_GENERATOR_INTERP_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct dir;
struct dirs;
struct interp {
    struct str python;           /* absolute path, as chosen */
    struct str executable;       /* sys.executable: what a script (pyenv's shim) starts in the end */
    struct str scripts;          /* where its commands are installed: <prefix>/bin */
    uint32_t major, minor;       /* of Python */
    int micro;                   /* -1 when it is not known */
    struct str pytest;           /* version, "" when it is not installed */
    struct strs path;            /* sys.path without the directory of the script: PYTHONPATH, the
                                    standard library, site directories and what .pth files add */
    struct strs third;           /* directories whose files are not the project's (see probe.py) */
    struct strs plugins;         /* pytest11 entry points: "name=module[:attr]" sorted */
    bool unsure_path;            /* an import line in a .pth file, or an import hook: names can come
                                    from elsewhere */
    struct arena arena;
};

/* python: --python or NULL (then $VIRTUAL_ENV's, then python3 on PATH), cwd absolute. False with err:
 * usage error (no such interpreter). */
bool interp_find(struct interp *x, const char *python, const char *cwd, struct err *err);
void interp_release(struct interp *x);

/* The interpreter that the options name: an absolute path, appended to out. */
bool interp_choose(const char *python, const char *cwd, struct buf *out, struct err *err);

/* Is the top-level module or package `name` found by import (files of path, then builtin and frozen
 * modules)? 1 yes, 0 no, -1 not known (unsure_path). A directory counts without __init__.py too. */
int interp_has_module(const struct interp *x, struct dirs *dirs, struct str name);

/* Does the directory hold a module or package of that name: a directory, .py, .pyc, .so and the like? */
bool interp_holds_module(const struct dir *dir, struct str name);

#endif
