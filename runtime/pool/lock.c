#include "runtime/pool/lock.h"

#include "runtime/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { WAIT_S = 20 };

static void wake(int sig)
{
    (void)sig; /* flock returns with EINTR */
}

/* flock with a limit of time. */
static bool lock_waiting(int fd)
{
    struct sigaction sa, old;
    memset(&sa, 0, sizeof sa);
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = wake;
    sigaction(SIGALRM, &sa, &old);
    alarm(WAIT_S);
    bool ok = flock(fd, LOCK_EX) == 0;
    int e = errno;
    alarm(0);
    sigaction(SIGALRM, &old, NULL);
    errno = e;
    return ok;
}

static int open_lock(struct str state_dir, const char *name, struct err *err)
{
    struct buf path = {0};
    buf_str(&path, state_dir);
    buf_printf(&path, "/%s", name);
    int fd = open(path.p, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        err_errno(err, "%s: cannot be opened", path.p);
    buf_release(&path);
    return fd;
}

static pid_t read_pid(int fd)
{
    char text[32];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    long pid = strtol(text, NULL, 10);
    return pid > 1 && pid < INT32_MAX ? (pid_t)pid : 0;
}

static bool write_pid(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) == n;
}

int lock_pool(struct str state_dir, struct err *err)
{
    int fd = open_lock(state_dir, "pool.lock", err);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        pid_t holder = read_pid(fd);
        if (holder)
            kill(holder, SIGTERM);
        if (!lock_waiting(fd)) {
            err_set(err, "%.*s/pool.lock: another pool (pid %ld) does not end; kill it",
                    (int)state_dir.n, state_dir.p, (long)holder);
            close(fd);
            return -1;
        }
    }
    if (!write_pid(fd)) {
        err_errno(err, "%.*s/pool.lock: cannot be written", (int)state_dir.n, state_dir.p);
        close(fd);
        return -1;
    }
    return fd;
}

pid_t lock_holder(struct str state_dir)
{
    int fd = open_lock(state_dir, "pool.lock", NULL);
    pid_t pid = 0;
    if (fd < 0)
        return 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        pid = read_pid(fd);
    close(fd);
    return pid;
}

int lock_start(struct str state_dir, struct err *err)
{
    int fd = open_lock(state_dir, "start.lock", err);
    if (fd >= 0 && !lock_waiting(fd)) {
        err_errno(err, "%.*s/start.lock: cannot be locked", (int)state_dir.n, state_dir.p);
        close(fd);
        return -1;
    }
    return fd;
}
