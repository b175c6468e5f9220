#include "runtime/cli/self.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

bool self_path(struct arena *a, char **path, struct err *err)
{
    char buf[4096];
    ssize_t n = readlink("/proc/self/exe", buf, sizeof buf);
    if (n <= 0 || (size_t)n >= sizeof buf)
        return err_errno(err, "/proc/self/exe cannot be read; mount /proc");
    *path = arena_dup(a, buf, (size_t)n);
    return true;
}

void self_end_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}
