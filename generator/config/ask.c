#include "generator/config/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_ANSWER_BYTES = 64 << 20 };

static _Noreturn void execute(char *const *argv, const char *cwd, bool quiet, int out)
{
    int null = quiet ? open("/dev/null", O_RDWR) : -1;
    if (quiet) {
        dup2(null, STDIN_FILENO);
        dup2(null, STDERR_FILENO);
    }
    dup2(out, STDOUT_FILENO);
    if (chdir(cwd) == 0)
        execv(argv[0], argv);
    _exit(127);
}

static bool read_all(int fd, struct buf *out)
{
    while (out->n < MAX_ANSWER_BYTES) {
        buf_reserve(out, 1 << 16);
        ssize_t n = read(fd, out->p + out->n, (1 << 16) - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        out->n += (size_t)n;
        out->p[out->n] = '\0';
    }
    return false;
}

bool ask_program(char *const *argv, const char *cwd, bool quiet, struct buf *out, int *status, struct err *err)
{
    int fds[2];
    if (pipe(fds) != 0)
        return err_errno(err, "a pipe to %s cannot be made", argv[0]);
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    pid_t pid = fork();
    if (pid == 0)
        execute(argv, cwd, quiet, fds[1]);
    close(fds[1]);
    bool ok = pid > 0 && read_all(fds[0], out);
    close(fds[0]);
    while (pid > 0 && waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
    return ok || err_set(err, "%s: cannot be started; choose another with --python", argv[0]);
}
