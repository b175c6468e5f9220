#include "runtime/base/io.h"

#include "runtime/base/arena.h"
#include "runtime/base/stat.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct io_stat io_stat_at(int dir, const char *path)
{
    struct stat st;
    if (fstatat(dir, path, &st, 0) != 0)
        return (struct io_stat){.kind = IO_ABSENT};
    return (struct io_stat){
        .size_bytes = (uint64_t)st.st_size,
        .mtime_ns = stat_mtime_ns(&st),
        .ctime_ns = stat_ctime_ns(&st),
        .inode = (uint64_t)st.st_ino,
        .kind = S_ISREG(st.st_mode) ? IO_FILE : S_ISDIR(st.st_mode) ? IO_DIR : IO_OTHER,
    };
}

struct io_stat io_stat_path(const char *path)
{
    return io_stat_at(AT_FDCWD, path);
}

struct io_stat io_stat_near(struct io_near *n, const char *path)
{
    struct str dir = path_dir(str_z(path));
    if (!dir.n || !str_eq(dir, buf_view(&n->dir))) {
        io_near_release(n);
        buf_str(&n->dir, dir);
        return io_stat_path(path);
    }
    if (!n->open)
        n->fd = open(n->dir.p, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    n->open = true;
    return n->fd < 0 ? io_stat_path(path) : io_stat_at(n->fd, path + dir.n + 1);
}

void io_near_release(struct io_near *n)
{
    if (n->open && n->fd >= 0)
        close(n->fd);
    n->open = false;
    buf_release(&n->dir);
}

bool io_stat_same(const struct io_stat *a, const struct io_stat *b)
{
    return a->kind == b->kind && a->size_bytes == b->size_bytes && a->mtime_ns == b->mtime_ns &&
           a->ctime_ns == b->ctime_ns && a->inode == b->inode;
}

bool io_write_all(int fd, const void *p, size_t n)
{
    const char *at = p;
    while (n > 0) {
        ssize_t k = write(fd, at, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return false;
        at += k;
        n -= (size_t)k;
    }
    return true;
}

static ssize_t read_some(int fd, void *p, size_t n)
{
    ssize_t k;
    do
        k = read(fd, p, n);
    while (k < 0 && errno == EINTR);
    return k;
}

ssize_t io_read_full(int fd, void *p, size_t n)
{
    size_t got = 0;
    while (got < n) {
        ssize_t k = read_some(fd, (char *)p + got, n - got);
        if (k < 0)
            return -1;
        if (k == 0)
            break;
        got += (size_t)k;
    }
    return (ssize_t)got;
}

static bool read_fd(int fd, const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_errno(err, "%s: cannot be read", path);
    if (!S_ISREG(st.st_mode)) { /* a device or a pipe may never end */
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
        return err_errno(err, "%s: cannot be read", path);
    }
    size_t start = out->n, want = st.st_size > 0 ? (size_t)st.st_size : 0;
    bool more = true;
    while (more && want <= max_bytes && out->n - start <= max_bytes) {
        size_t step = want > out->n - start ? want - (out->n - start) + 1 : 65536;
        buf_reserve(out, step);
        ssize_t k = read_some(fd, out->p + out->n, step);
        if (k < 0)
            return err_errno(err, "%s: cannot be read", path);
        out->n += (size_t)k;
        out->p[out->n] = '\0';
        more = k > 0 && out->n - start != want; /* a byte more than the size was asked for */
    }
    if (!more && out->n - start <= max_bytes)
        return true;
    errno = EFBIG;
    return err_set(err, "%s: larger than %zu bytes", path, max_bytes);
}

bool io_read(const char *path, size_t max_bytes, struct buf *out, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_errno(err, "%s: cannot be read", path);
    bool ok = read_fd(fd, path, max_bytes ? max_bytes : (size_t)1 << 30, out, err);
    int saved = errno;
    close(fd);
    errno = saved;
    return ok;
}

bool io_read_start(const char *path, size_t bytes, struct buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (ok) {
        buf_reserve(out, bytes);
        ssize_t n = io_read_full(fd, out->p + out->n, bytes);
        ok = n >= 0;
        out->n += ok ? (size_t)n : 0;
        out->p[out->n] = '\0';
    }
    if (fd >= 0)
        close(fd);
    return ok;
}

bool io_replace(const char *path, struct str content, struct err *err)
{
    static unsigned counter;
    struct buf tmp = {0};
    buf_printf(&tmp, "%s.%ld.%u.tmp", path, (long)getpid(), counter++);
    int fd = open(tmp.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && io_write_all(fd, content.p, content.n);
    int saved = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        saved = errno;
        ok = false;
    }
    if (ok && rename(tmp.p, path) != 0) {
        saved = errno;
        ok = false;
    }
    if (!ok) {
        unlink(tmp.p);
        errno = saved;
        err_errno(err, "%s: cannot be written", path);
    }
    buf_release(&tmp);
    return ok;
}

bool io_overwrite(const char *path, struct str content, struct err *err)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC); /* without O_CREAT the directory is not locked */
    if (fd < 0 && errno == ENOENT)
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || fstat(fd, &st) != 0 || st.st_nlink > 1) {
        if (fd >= 0)
            close(fd);
        return io_replace(path, content, err);
    }
    bool ok = io_write_all(fd, content.p, content.n) &&
              ((uint64_t)st.st_size <= content.n || ftruncate(fd, (off_t)content.n) == 0);
    int saved = errno;
    if (close(fd) != 0 && ok) {
        saved = errno;
        ok = false;
    }
    if (ok)
        return true;
    unlink(path);
    errno = saved;
    return err_errno(err, "%s: cannot be written", path);
}

bool io_replace_if_changed(const char *path, struct str content, bool *changed, struct err *err)
{
    struct buf old = {0};
    struct io_stat st = io_stat_path(path);
    bool same = st.kind == IO_FILE && st.size_bytes == content.n && io_read(path, 0, &old, NULL) &&
                str_eq(buf_view(&old), content);
    buf_release(&old);
    if (changed)
        *changed = !same;
    return same || io_replace(path, content, err);
}

static bool make_dir(const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return true;
    int saved = errno; /* a read-only file system may hide that the directory is there */
    bool there = io_stat_path(path).kind == IO_DIR;
    errno = saved;
    return there;
}

bool io_mkdirs(const char *path, struct err *err)
{
    char *copy = xmalloc(strlen(path) + 1);
    strcpy(copy, path);
    bool ok = true;
    for (char *p = copy + (*copy == '/'); ok; p++) {
        bool end = *p == '\0';
        if (*p != '/' && !end)
            continue;
        *p = '\0';
        ok = make_dir(copy);
        if (end)
            break;
        *p = '/';
    }
    if (ok && io_stat_path(path).kind != IO_DIR) {
        errno = ENOTDIR;
        ok = false;
    }
    free(copy);
    return ok || err_errno(err, "%s: the directory cannot be made", path);
}

bool io_set_mtime(const char *path, int64_t mtime_ns)
{
    struct timespec t[2] = {{.tv_nsec = UTIME_OMIT},
                            {.tv_sec = mtime_ns / 1000000000, .tv_nsec = mtime_ns % 1000000000}};
    if (t[1].tv_nsec < 0) { /* before 1970 */
        t[1].tv_sec--;
        t[1].tv_nsec += 1000000000;
    }
    return utimensat(AT_FDCWD, path, t, 0) == 0;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct io_entry *)a)->name, ((const struct io_entry *)b)->name);
}

static enum io_kind kind_of(const struct dirent *e)
{
    switch (e->d_type) {
    case DT_REG:
        return IO_FILE;
    case DT_DIR:
        return IO_DIR;
    case DT_LNK:
    case DT_UNKNOWN:
        return IO_ABSENT;
    default:
        return IO_OTHER;
    }
}

bool io_remove_tree(const char *path)
{
    struct stat st;
    struct io_list list;
    struct buf below = {0};
    bool ok = true;
    if (lstat(path, &st) != 0)
        return errno == ENOENT;
    if (!S_ISDIR(st.st_mode))
        return unlink(path) == 0;
    if (!io_listdir(path, &list))
        return false;
    for (size_t i = 0; i < list.n; i++) {
        buf_clear(&below);
        buf_printf(&below, "%s/%s", path, list.items[i].name);
        ok = io_remove_tree(below.p) && ok;
    }
    io_list_release(&list);
    buf_release(&below);
    return rmdir(path) == 0 && ok;
}

bool io_listdir(const char *path, struct io_list *out)
{
    *out = (struct io_list){0};
    DIR *d = opendir(path);
    if (!d)
        return false;
    struct buf names = {0};
    size_t cap = 0;
    for (struct dirent *e; errno = 0, e = readdir(d);) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        out->items = xgrow(out->items, &cap, out->n + 1, sizeof *out->items);
        out->items[out->n].kind = kind_of(e);
        out->items[out->n++].name = (const char *)(uintptr_t)names.n; /* offset for now */
        buf_add(&names, e->d_name, strlen(e->d_name) + 1);
    }
    int saved = errno;
    closedir(d);
    out->block = names.p;
    for (size_t i = 0; i < out->n; i++)
        out->items[i].name = out->block + (uintptr_t)out->items[i].name;
    if (out->n > 1)
        qsort(out->items, out->n, sizeof *out->items, compare_entries);
    if (saved)
        io_list_release(out);
    errno = saved;
    return saved == 0;
}

void io_list_release(struct io_list *l)
{
    free(l->items);
    free(l->block);
    *l = (struct io_list){0};
}
