#include "runtime/cli/debugger.h"

#include "runtime/base/buf.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

static char lock_path[4096]; /* for the signal handler */

void debugger_watch(struct str state_dir)
{
    static const char name[] = "/debugger";
    if (state_dir.n + sizeof name > sizeof lock_path)
        return;
    memcpy(lock_path, state_dir.p, state_dir.n);
    memcpy(lock_path + state_dir.n, name, sizeof name);
}

static pid_t read_pid(int fd)
{
    char text[16];
    ssize_t n = pread(fd, text, sizeof text, 0);
    long pid = 0;
    for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9' && pid < 100000000; i++)
        pid = pid * 10 + (text[i] - '0');
    return (pid_t)pid;
}

bool debugger_interrupt(void)
{
    int fd = lock_path[0] ? open(lock_path, O_RDONLY | O_CLOEXEC) : -1;
    pid_t pid = 0;
    if (fd < 0)
        return false;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0)
        pid = read_pid(fd);
    close(fd);
    return pid > 1 && kill(pid, SIGINT) == 0;
}
