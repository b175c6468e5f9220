#include "runtime/cli/limits.h"

#include <sys/resource.h>

uint64_t limits_watches(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? (uint64_t)limit.rlim_cur : 0;
}
