#include "runtime/base/stat.h"

#include <sys/stat.h>

int64_t stat_mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtimespec.tv_sec * 1000000000 + st->st_mtimespec.tv_nsec;
}

int64_t stat_ctime_ns(const struct stat *st)
{
    return (int64_t)st->st_ctimespec.tv_sec * 1000000000 + st->st_ctimespec.tv_nsec;
}

int64_t stat_birth_ns(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0;
    return (int64_t)st.st_birthtimespec.tv_sec * 1000000000 + st.st_birthtimespec.tv_nsec;
}

int64_t stat_tick_ns(void)
{
    return 0;
}
