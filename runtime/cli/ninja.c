#include "runtime/cli/self.h"

#include "runtime/base/buf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *find_program(struct arena *a, const char *name)
{
    struct str rest = str_z(getenv("PATH")), dir;
    struct buf b = {0};
    const char *found = NULL;
    while (!found && str_next(&rest, ':', &dir)) {
        buf_clear(&b);
        buf_str(&b, dir);
        buf_printf(&b, "%s%s", dir.n ? "/" : "", name);
        if (access(b.p, X_OK) == 0)
            found = arena_dup(a, b.p, b.n);
    }
    buf_release(&b);
    return found;
}

const char *find_ninja(struct arena *a, struct err *err)
{
    static const char *const names[] = {"ninja", "ninja-build", "samu"};
    const char *chosen = getenv("NINJA");
    if (chosen && *chosen) {
        if (strchr(chosen, '/') ? access(chosen, X_OK) == 0 : find_program(a, chosen) != NULL)
            return chosen;
        err_set(err, "NINJA=%s: no such program; unset it or name a ninja", chosen);
        return NULL;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *path = find_program(a, names[i]);
        if (path)
            return path;
    }
    err_set(err, "ninja: not found on PATH; install it (apt-get install ninja-build, dnf install "
                 "ninja-build, apk add samurai, brew install ninja, or pip install ninja)");
    return NULL;
}
