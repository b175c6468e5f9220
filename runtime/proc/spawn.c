#include "runtime/proc/spawn.h"

#include "runtime/base/io.h"
#include "runtime/proc/fds.h"
#include "runtime/proc/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { REPORT_FD_MIN = 10 }; /* above every descriptor that a child is given */

extern char **environ;

/* What a child could not do: sent through the pipe as one struct. */
struct failure {
    int error;
    int step;
};
enum step { STEP_NONE, STEP_CHDIR, STEP_EXEC, STEP_FORK };

static void report(int fd, enum step step)
{
    struct failure f = {errno, (int)step};
    if (write(fd, &f, sizeof f) < 0)
        _exit(126);
    _exit(127);
}

static bool report_pipe(int fds[2], struct err *err)
{
    int raw[2];
    if (pipe(raw) != 0)
        return err_errno(err, "cannot make a pipe");
    fds[0] = fcntl(raw[0], F_DUPFD_CLOEXEC, REPORT_FD_MIN);
    fds[1] = fcntl(raw[1], F_DUPFD_CLOEXEC, REPORT_FD_MIN);
    close(raw[0]);
    close(raw[1]);
    return (fds[0] >= 0 && fds[1] >= 0) || err_errno(err, "cannot make a pipe");
}

/* Reads what the child reports; true when its exec went well (the pipe just closes). */
static bool read_report(int fds[2], const char *program, const char *cwd, struct err *err)
{
    struct failure f = {0};
    close(fds[1]);
    ssize_t n = io_read_full(fds[0], &f, sizeof f);
    close(fds[0]);
    if (n == 0)
        return true;
    errno = n == (ssize_t)sizeof f ? f.error : EIO;
    if (f.step == STEP_CHDIR)
        return err_errno(err, "%s: cannot be entered", cwd ? cwd : "");
    return err_errno(err, "%s: cannot be started", program);
}

static void null_stdin(void)
{
    int fd = open("/dev/null", O_RDONLY);
    if (fd > 0) {
        dup2(fd, 0);
        close(fd);
    }
}

static void give_fd3(int fd)
{
    if (fd == 3)
        fcntl(3, F_SETFD, 0);
    else if (fd >= 0)
        dup2(fd, 3);
}

pid_t spawn_start(const struct spawn *s, struct err *err)
{
    int fds[2];
    if (!report_pipe(fds, err))
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        signals_reset();
        setpgid(0, 0);
        give_fd3(s->fd3);
        null_stdin();
        if (s->cwd && chdir(s->cwd) != 0)
            report(fds[1], STEP_CHDIR);
        execve(s->argv[0], s->argv, environ);
        report(fds[1], STEP_EXEC);
    }
    if (pid < 0) {
        err_errno(err, "%s: cannot be started", s->argv[0]);
        close(fds[0]);
        close(fds[1]);
        return -1;
    }
    setpgid(pid, pid); /* whichever comes first, parent or child */
    if (!read_report(fds, s->argv[0], s->cwd, err)) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        return -1;
    }
    return pid;
}

/* The grandchild: everything between the second fork and exec. */
static void become_daemon(char *const *argv, int in_fd, int out_fd, int report_fd)
{
    int in = in_fd < 0 ? -1 : fcntl(in_fd, F_DUPFD_CLOEXEC, REPORT_FD_MIN);
    int out = fcntl(out_fd, F_DUPFD_CLOEXEC, REPORT_FD_MIN);
    int rep = fcntl(report_fd, F_DUPFD_CLOEXEC, REPORT_FD_MIN);
    dup2(out, 1);
    dup2(out, 2);
    if (in < 0)
        null_stdin();
    else
        dup2(in, 0);
    dup2(rep, 3);
    fcntl(3, F_SETFD, FD_CLOEXEC);
    fds_close_from(4);
    signals_reset();
    execve(argv[0], argv, environ);
    report(3, STEP_EXEC);
}

bool spawn_detached(char *const *argv, int in_fd, int out_fd, struct err *err)
{
    int fds[2];
    if (!report_pipe(fds, err))
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        pid_t daemon = fork();
        if (daemon < 0)
            report(fds[1], STEP_FORK);
        if (daemon > 0)
            _exit(0);
        become_daemon(argv, in_fd, out_fd, fds[1]);
    }
    if (pid < 0) {
        err_errno(err, "%s: cannot be started", argv[0]);
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    bool ok = read_report(fds, argv[0], NULL, err);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return ok;
}
