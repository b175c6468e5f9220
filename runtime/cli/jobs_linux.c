#include "runtime/cli/jobs.h"

#include "runtime/base/io.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_GENERATIONS = 6 }; /* the shell of an edge, a wrapper */

static long parent_of(long pid)
{
    char path[64];
    struct buf b = {0};
    long parent = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    const char *after = io_read(path, 0, &b, NULL) && b.p ? strrchr(b.p, ')') : NULL;
    if (!after || sscanf(after + 1, " %*c %ld", &parent) != 1)
        parent = 0;
    buf_release(&b);
    return parent;
}

static bool is_ninja(const char *program)
{
    static const char *const names[] = {"ninja", "ninja-build", "samu"};
    struct str base = path_base(str_z(program));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(base, str_z(names[i])))
            return true;
    return false;
}

bool jobs_ninja(struct buf *arguments, struct buf *program)
{
    char path[64], target[4096];
    long pid = getppid();
    for (int i = 0; i < MAX_GENERATIONS && pid > 1; i++, pid = parent_of(pid)) {
        snprintf(path, sizeof path, "/proc/%ld/exe", pid);
        ssize_t n = readlink(path, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        if (!is_ninja(target))
            continue;
        buf_z(program, target);
        snprintf(path, sizeof path, "/proc/%ld/cmdline", pid);
        return io_read(path, 0, arguments, NULL);
    }
    return false;
}
