#include "runtime/cli/self.h"

#include <limits.h>
#include <mach-o/dyld.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool self_path(struct arena *a, char **path, struct err *err)
{
    char raw[PATH_MAX], real[PATH_MAX];
    uint32_t size = sizeof raw;
    if (_NSGetExecutablePath(raw, &size) != 0 || !realpath(raw, real))
        return err_errno(err, "the path of this program cannot be found");
    *path = arena_dup(a, real, strlen(real));
    return true;
}

void self_end_with_parent(void)
{
}
