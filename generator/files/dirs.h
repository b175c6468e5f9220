/* Directory listings, each read once a scan, and what is ours and what is installed.
 *
 * A directory is third party when it lies in one of `third` (stdlib, site directories) and in none
 * of `owned` (top-level packages under test that are installed there). */
#ifndef FASTEST_GENERATOR_DIRS_H
#define FASTEST_GENERATOR_DIRS_H

#include "runtime/base/arena.h"
#include "runtime/base/io.h"
#include "runtime/base/map.h"
#include "runtime/base/str.h"

#include <pthread.h>

struct dir {
    struct str path;
    struct io_list list; /* empty when it cannot be read */
    bool hidden;         /* it cannot be listed, but what is in it may be asked for by name */
    bool third, package; /* package: holds __init__.py */
};

struct dirs {
    struct map by_path;
    struct arena arena;
    struct strs third, owned;
    struct shared_dirs *shared; /* where listings are taken from, NULL to read them */
};

/* Listings for the `struct dirs` of several threads. Zero, with PTHREAD_MUTEX_INITIALIZER, is empty. */
struct shared_dirs {
    pthread_mutex_t lock;
    struct dirs own;
    const struct dirs *first; /* known before; nothing is added to it meanwhile. NULL for none */
};

/* third, and as owned the top-level package of each argument that lies in one of them. */
void dirs_set_up(struct dirs *d, const struct strs *third, const struct strs *args);
void dirs_release(struct dirs *d);
void shared_dirs_release(struct shared_dirs *d);
/* Never NULL; path is absolute and normalized. */
struct dir *dirs_open(struct dirs *d, struct str path);
/* IO_ABSENT when there is no such entry; follows symbolic links. */
enum io_kind dir_kind(const struct dir *dir, struct str name);
/* Index of the first entry >= name. */
size_t dir_lower(const struct dir *dir, struct str name);
bool dirs_is_third(const struct dirs *d, struct str path);
/* "dir/name" in the arena. */
struct str dirs_join(struct dirs *d, struct str dir, struct str name);

#endif
