#include "runtime/cli/notify.h"

#include "runtime/base/arena.h"
#include "runtime/base/io.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

struct notify {
    int fd;
    struct str *dirs; /* by watch descriptor; p is malloc'ed, NULL: none */
    size_t cap;
};

struct notify *notify_open(struct err *err)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
        err_errno(err, "watch: inotify cannot be used; sysctl fs.inotify.max_user_instances may be too low");
        return NULL;
    }
    struct notify *n = xmalloc(sizeof *n);
    *n = (struct notify){.fd = fd};
    return n;
}

void notify_close(struct notify *n)
{
    if (!n)
        return;
    close(n->fd);
    for (size_t i = 0; i < n->cap; i++)
        free((char *)(uintptr_t)n->dirs[i].p);
    free(n->dirs);
    free(n);
}

static void remember(struct notify *n, size_t wd, struct str dir)
{
    size_t had = n->cap;
    n->dirs = xgrow(n->dirs, &n->cap, wd + 1, sizeof *n->dirs);
    for (size_t i = had; i < n->cap; i++)
        n->dirs[i] = (struct str){NULL, 0};
    free((char *)(uintptr_t)n->dirs[wd].p);
    char *own = xmalloc(dir.n + 1);
    memcpy(own, dir.p, dir.n);
    own[dir.n] = '\0';
    n->dirs[wd] = (struct str){own, dir.n};
}

bool notify_add(struct notify *n, struct str dir, struct err *err)
{
    struct buf path = {0};
    buf_str(&path, dir);
    int wd = inotify_add_watch(n->fd, path.p, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                                  IN_ONLYDIR | IN_EXCL_UNLINK);
    bool gone = wd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES);
    bool ok = wd >= 0 || gone;
    if (wd >= 0)
        remember(n, (size_t)wd, dir);
    else if (!ok && errno == ENOSPC)
        err_set(err, "watch: %s: there are more directories than this user may watch; raise the limit with `sysctl "
                     "fs.inotify.max_user_watches=524288`", path.p);
    else if (!ok)
        err_errno(err, "watch: %s: cannot be watched", path.p);
    buf_release(&path);
    return ok;
}

int notify_fd(const struct notify *n)
{
    return n->fd;
}

static void tell(struct notify *n, const struct inotify_event *e, notify_fn *changed, void *ctx)
{
    struct buf path = {0};
    if (e->mask & IN_Q_OVERFLOW) {
        changed(ctx, NOTIFY_LOST, STR(""));
        return;
    }
    if (e->wd < 0 || (size_t)e->wd >= n->cap || !n->dirs[e->wd].p || !e->len)
        return;
    path_join(&path, n->dirs[e->wd], str_z(e->name));
    bool there = e->mask & (IN_CREATE | IN_MOVED_TO);
    changed(ctx, e->mask & IN_ISDIR && there                  ? NOTIFY_DIR
                 : e->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)   ? NOTIFY_DONE
                 : e->mask & IN_CREATE                        ? NOTIFY_MADE
                                                              : NOTIFY_GONE,
            buf_view(&path));
    buf_release(&path);
}

void notify_read(struct notify *n, notify_fn *changed, void *ctx)
{
    union {
        struct inotify_event event;
        char bytes[16384];
    } buffer;
    ssize_t got;
    while ((got = read(n->fd, buffer.bytes, sizeof buffer)) > 0 || (got < 0 && errno == EINTR))
        for (ssize_t at = 0; at < got;) {
            struct inotify_event e;
            memcpy(&e, buffer.bytes + at, sizeof e);
            tell(n, (const struct inotify_event *)(const void *)(buffer.bytes + at), changed, ctx);
            at += (ssize_t)(sizeof e + e.len);
        }
}
