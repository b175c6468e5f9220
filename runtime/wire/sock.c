#include "runtime/wire/sock.h"

#include "runtime/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* macOS takes 104 bytes with the NUL, Linux 108. */
enum { MAX_SOCK_PATH = 103, BACKLOG = 128 };

static bool private_dir(const char *path, struct err *err)
{
    struct stat st;
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_errno(err, "%s: cannot be created", path);
    if (lstat(path, &st) != 0)
        return err_errno(err, "%s: cannot be used", path);
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return err_set(err, "%s: is not a directory that only you can enter; remove it, or set "
                            "XDG_RUNTIME_DIR to a directory of your own", path);
    return true;
}

static bool usable_base(const char *base)
{
    struct stat st;
    return base && base[0] == '/' && strlen(base) < 50 && stat(base, &st) == 0 &&
           S_ISDIR(st.st_mode) && access(base, W_OK | X_OK) == 0;
}

bool sock_path(struct str state_dir, struct buf *out, struct err *err)
{
    const char *base = getenv("XDG_RUNTIME_DIR");
    size_t start = out->n;
    buf_printf(out, "%s/fastest-%ju", usable_base(base) ? base : "/tmp", (uintmax_t)geteuid());
    if (!private_dir(out->p + start, err))
        return false;
    buf_printf(out, "/%016" PRIx64 ".sock", hash64_of(state_dir.p, state_dir.n));
    if (out->n - start > MAX_SOCK_PATH)
        return err_set(err, "%s: is too long for a socket", out->p + start);
    return true;
}

static int new_socket(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool address(const char *path, struct sockaddr_un *sa)
{
    size_t n = strlen(path);
    memset(sa, 0, sizeof *sa);
    sa->sun_family = AF_UNIX;
    if (n >= sizeof sa->sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(sa->sun_path, path, n + 1);
    return true;
}

int sock_listen(const char *path, struct err *err)
{
    struct sockaddr_un sa;
    int fd = new_socket();
    if (fd < 0 || !address(path, &sa)) {
        err_errno(err, "%s: cannot make a socket", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    unlink(path);
    if (bind(fd, (struct sockaddr *)&sa, sizeof sa) != 0 || listen(fd, BACKLOG) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        err_errno(err, "%s: cannot listen", path);
        close(fd);
        return -1;
    }
    return fd;
}

static bool same_user(int fd)
{
    uid_t uid;
    pid_t pid;
    return sock_peer(fd, &uid, &pid) && uid == geteuid();
}

int sock_accept(int listener)
{
    int fd;
    do
        fd = accept(listener, NULL, NULL);
    while (fd < 0 && errno == EINTR);
    if (fd >= 0 && (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || !same_user(fd))) {
        close(fd);
        errno = EACCES;
        return -1;
    }
    return fd;
}

int sock_connect(const char *path)
{
    struct sockaddr_un sa;
    if (!address(path, &sa))
        return -1;
    int fd = new_socket(), rc;
    if (fd < 0)
        return -1;
    do
        rc = connect(fd, (struct sockaddr *)&sa, sizeof sa);
    while (rc != 0 && errno == EINTR);
    if (rc != 0 || !same_user(fd)) {
        int e = rc != 0 ? errno : EACCES;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

bool sock_pair(int fds[2], struct err *err)
{
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return err_errno(err, "cannot make a socket pair");
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    fcntl(fds[1], F_SETFD, FD_CLOEXEC);
    return true;
}
