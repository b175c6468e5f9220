#include "runtime/cli/limits.h"

#include "runtime/base/io.h"

#include <stdlib.h>

uint64_t limits_watches(void)
{
    struct buf text = {0};
    bool ok = io_read("/proc/sys/fs/inotify/max_user_watches", 64, &text, NULL);
    uint64_t n = ok && text.n ? strtoull(text.p, NULL, 10) : 0;
    buf_release(&text);
    return n;
}
