/* Where an interpreter keeps its things: deduced from the file system, or asked and kept. */
#ifndef FASTEST_GENERATOR_INTERP_LAYOUT_H
#define FASTEST_GENERATOR_INTERP_LAYOUT_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct interp_layout {
    struct str executable, scripts, user_site; /* user_site: "" when it is not to be used */
    uint32_t major, minor;
    int micro;               /* -1: not known */
    struct strs std;         /* the standard library's part of sys.path */
    struct strs first_sites; /* the virtual environment's, which come before the user's */
    struct strs sites;       /* site directories; they need not exist */
    struct strs third;       /* further directories that are not the project's */
};

/* Everything is made in the arena. False when the layout is not one that we know. */
bool interp_layout_know(struct interp_layout *x, struct str python, struct arena *a);
/* interp_ask.c: starts python, or takes what it said before. False with err. */
bool interp_layout_ask(struct interp_layout *x, struct str python, const char *cwd, struct arena *a,
                       struct err *err);
void interp_layout_release(struct interp_layout *x);

/* interp_dist.c: appends the pytest11 entry points of what is installed in the directory path, as
 * "name=module", and fills *pytest with its version when it is still empty. */
void interp_dist_read(struct str path, struct strs *plugins, struct str *pytest, struct arena *a);

/* A formatted string in the arena. */
struct str interp_format(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
