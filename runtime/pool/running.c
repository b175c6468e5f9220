#include "runtime/pool/running.h"

#include "runtime/base/buf.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE_BYTES = RUNNING_SLOTS * sizeof(uint32_t) };

bool running_open(struct running *r, struct str state_dir, struct err *err)
{
    struct buf path = {0};
    buf_str(&path, state_dir);
    buf_z(&path, "/running");
    unlink(path.p);
    int fd = open(path.p, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    void *p = fd >= 0 && ftruncate(fd, SIZE_BYTES) == 0 ? mmap(NULL, SIZE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                                                        : MAP_FAILED;
    if (p != MAP_FAILED)
        r->slots = p;
    else
        err_errno(err, "%s: cannot be made", path.p);
    if (fd >= 0)
        close(fd);
    buf_release(&path);
    return p != MAP_FAILED;
}

void running_release(struct running *r)
{
    if (r->slots)
        munmap((void *)(uintptr_t)r->slots, SIZE_BYTES);
    r->slots = NULL;
}

void running_clear(struct running *r, uint32_t worker)
{
    r->slots[worker % RUNNING_SLOTS] = 0;
}

bool running_item(const struct running *r, uint32_t worker, uint32_t *number)
{
    uint32_t value = r->slots[worker % RUNNING_SLOTS];
    *number = value - 1;
    return value != 0;
}
