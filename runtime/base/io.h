/* Files. Every descriptor is close-on-exec; reads and writes are full and retry on EINTR. */
#ifndef FASTEST_BASE_IO_H
#define FASTEST_BASE_IO_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* What identifies one version of a file without reading it. */
struct io_stat {
    uint64_t size_bytes;
    int64_t mtime_ns, ctime_ns;
    uint64_t inode;
    uint32_t kind; /* enum io_kind */
};
enum io_kind { IO_ABSENT = 0, IO_FILE = 1, IO_DIR = 2, IO_OTHER = 3 };

/* stat(2), following links. A path that is absent gives kind IO_ABSENT and no error. */
struct io_stat io_stat_path(const char *path);
/* The same for many paths, of which most follow another one of their directory: that is opened then, and not looked up
 * again for each. Starts as {0}. What is renamed meanwhile is seen as it was. */
struct io_near {
    struct buf dir; /* of the last path */
    bool open;      /* fd is of dir; below 0: it cannot be read */
    int fd;
};
struct io_stat io_stat_near(struct io_near *n, const char *path);
void io_near_release(struct io_near *n);
bool io_stat_same(const struct io_stat *a, const struct io_stat *b);

/* Appends the whole file to out. False with err set (errno kept) when it cannot be read or has
 * more than max_bytes (0 = 1 GiB). */
bool io_read(const char *path, size_t max_bytes, struct buf *out, struct err *err);
/* Appends the first so many bytes of a file, or all when it has less. False when it cannot be read. */
bool io_read_start(const char *path, size_t bytes, struct buf *out);
bool io_write_all(int fd, const void *p, size_t n); /* false with errno */
ssize_t io_read_full(int fd, void *p, size_t n);    /* bytes read (less than n at end), -1 errno */
/* Writes to a temporary file beside path, then renames: readers see the old or the new content.
 * On failure the temporary file is removed. */
bool io_replace(const char *path, struct str content, struct err *err);
/* Writes into the file that is there, which saves the file system a new one: after a crash it may hold less or a
 * mixture, for readers that check what they read. What has other names, or is read-only, is replaced. On failure the file
 * is removed. */
bool io_overwrite(const char *path, struct str content, struct err *err);
/* As io_replace, but leaves the file and its mtime alone when it already holds these bytes;
 * *changed (may be NULL) tells. */
bool io_replace_if_changed(const char *path, struct str content, bool *changed, struct err *err);
bool io_mkdirs(const char *path, struct err *err); /* mkdir -p, mode 0777 & umask */
/* rm -rf: links are removed, not followed. False when something is left. */
bool io_remove_tree(const char *path);
bool io_set_mtime(const char *path, int64_t mtime_ns);

/* Lists a directory (without . and ..), sorted by bytes. names are NUL-terminated copies in one
 * malloc'ed block. kind comes from d_type, IO_ABSENT where the file system does not say, and for
 * symbolic links (stat them). False with errno when it cannot be read. */
struct io_entry {
    const char *name;
    enum io_kind kind;
};
struct io_list {
    struct io_entry *items;
    size_t n;
    char *block;
};
bool io_listdir(const char *path, struct io_list *out);
void io_list_release(struct io_list *l);

/* Lexical: joins with one '/', b alone when absolute; then removes //, /./ and dir/.. parts. */
void path_join(struct buf *out, struct str a, struct str b);
void path_normalize(struct buf *out, struct str path);
/* path relative to base (both absolute and normalized), with ../ where needed. */
void path_relative(struct buf *out, struct str path, struct str base);
/* path == dir or below dir. */
bool path_under(struct str path, struct str dir);

#endif
