/* kqueue tells that a directory's listing changed, not which name, and nothing of what is written into a file: each
 * file is opened, too, and listings are compared by the scan that follows. */
#include "runtime/cli/notify.h"

#include "runtime/base/arena.h"
#include "runtime/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/event.h>
#include <unistd.h>

struct watched {
    char *path;
    bool dir;
    struct watched *next;
};
struct notify {
    int fd;
    struct watched *all;
};

struct notify *notify_open(struct err *err)
{
    int fd = kqueue();
    if (fd < 0) {
        err_errno(err, "watch: kqueue cannot be used");
        return NULL;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct notify *n = xmalloc(sizeof *n);
    *n = (struct notify){.fd = fd};
    return n;
}

void notify_close(struct notify *n)
{
    if (!n)
        return;
    close(n->fd); /* what it watched is closed when this process ends */
    while (n->all) {
        struct watched *w = n->all;
        n->all = w->next;
        free(w->path);
        free(w);
    }
    free(n);
}

static bool is_watched(const struct notify *n, const char *path)
{
    for (const struct watched *w = n->all; w; w = w->next)
        if (strcmp(w->path, path) == 0)
            return true;
    return false;
}

static bool watch(struct notify *n, const char *path, bool dir, struct err *err)
{
    if (is_watched(n, path))
        return true;
    int fd = open(path, O_EVTONLY | O_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return err_set(err, "watch: %s: more files than may be open; raise the limit with `ulimit -n 10240`", path);
    if (fd < 0)
        return true;
    struct watched *w = xmalloc(sizeof *w);
    *w = (struct watched){.path = strdup(path), .dir = dir, .next = n->all};
    struct kevent e;
    EV_SET(&e, fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTE_WRITE | NOTE_EXTEND | NOTE_DELETE | NOTE_RENAME, 0, w);
    if (!w->path || kevent(n->fd, &e, 1, NULL, 0, NULL) != 0) {
        close(fd);
        free(w->path);
        free(w);
        return err_errno(err, "watch: %s: cannot be watched", path);
    }
    n->all = w;
    return true;
}

bool notify_add(struct notify *n, struct str dir, struct err *err)
{
    struct buf path = {0};
    struct io_list list;
    buf_str(&path, dir);
    bool ok = watch(n, path.p, true, err);
    if (ok && io_listdir(path.p, &list)) {
        for (size_t i = 0; ok && i < list.n; i++) {
            if (list.items[i].kind != IO_FILE)
                continue;
            buf_clear(&path);
            path_join(&path, dir, str_z(list.items[i].name));
            ok = watch(n, path.p, false, err);
        }
        io_list_release(&list);
    }
    buf_release(&path);
    return ok;
}

int notify_fd(const struct notify *n)
{
    return n->fd;
}

static void forget(struct notify *n, struct watched *w)
{
    for (struct watched **at = &n->all; *at; at = &(*at)->next)
        if (*at == w) {
            *at = w->next;
            break;
        }
    free(w->path);
    free(w);
}

/* A directory that changed is watched anew: it may have other files, and other directories. */
static void listing_changed(struct notify *n, struct str dir, notify_fn *changed, void *ctx)
{
    struct io_list list;
    struct buf path = {0};
    struct err ignored;
    notify_add(n, dir, &ignored);
    if (io_listdir(dir.p, &list)) {
        for (size_t i = 0; i < list.n; i++) {
            buf_clear(&path);
            path_join(&path, dir, str_z(list.items[i].name));
            if (list.items[i].kind == IO_DIR && !is_watched(n, path.p))
                changed(ctx, NOTIFY_DIR, buf_view(&path));
        }
        io_list_release(&list);
    }
    buf_release(&path);
}

void notify_read(struct notify *n, notify_fn *changed, void *ctx)
{
    struct timespec now = {0};
    struct kevent e;
    while (kevent(n->fd, NULL, 0, &e, 1, &now) == 1) {
        struct watched *w = e.udata;
        struct buf path = {0};
        bool dir = w->dir, over = e.fflags & (NOTE_DELETE | NOTE_RENAME);
        buf_z(&path, w->path);
        if (over) {
            close((int)e.ident);
            forget(n, w);
        }
        changed(ctx, over ? NOTIFY_GONE : NOTIFY_DONE, buf_view(&path));
        if (dir && !over)
            listing_changed(n, buf_view(&path), changed, ctx);
        buf_release(&path);
    }
}
