/* Between the parts of discovery: discover.c (stages), discover_files.c (files and their conftests),
 * discover_select.c (records, selection, order). */
#ifndef FASTEST_GENERATOR_DISCOVER_STATE_H
#define FASTEST_GENERATOR_DISCOVER_STATE_H

#include "generator/collect/arguments.h"
#include "generator/collect/discover_cache.h"
#include "generator/collect/plugins.h"
#include "generator/files/dirs.h"

#include <stdatomic.h>

struct unit {                 /* one file to collect */
    struct str path, relative;
    const struct strs *conftests;
    struct test *tests;
    size_t n, cap;
    uint32_t error_line, error_column;
    struct str error;
};

struct folder {               /* what applies to the tests of a directory */
    struct strs conftests;
};

struct discover_state {
    struct dirs dirs;
    struct shared_dirs listings; /* of the worlds: where modules are looked for */
    struct arguments arguments;
    struct strs files, roots;
    struct strs others;       /* directories where a conftest collects other files */
    struct plugins plugins;
    struct map folders, checked; /* directory → struct folder *; conftests whose hooks are known */
    struct unit *units;
    size_t n_units;
    struct stmt_store *store;
    struct world *worlds;
    unsigned n_threads;
    const char *doubt;        /* about every test */
    bool from_records;        /* the answer depends on more than what was read here */
    atomic_size_t next;
    pthread_mutex_t hooks_lock;
    pthread_cond_t hooks_done;
    atomic_bool hooks_known;  /* doubt, plugins, others are complete, and units no longer change */
    struct discover_files answer; /* the cached one, when it holds */
    struct discovered *out;
};

/* The files in the order of the arguments that name them. */
void discover_order_files(struct discover_state *s);
/* units, folders and roots, from files. */
void discover_make_units(struct discover_state *s);
/* What a conftest leaves out, by name or by a pattern (fnmatch on the whole path). */
void discover_drop_ignored(struct discover_state *s, const struct strs *paths, const struct strs *globs);

/* What the last run knows of units that are in doubt. */
void discover_take_records(struct discover_state *s, const struct discover_options *o);
/* out->tests: what arguments, -k, -m and --deselect leave of the units, in pytest's order. */
bool discover_select(struct discover_state *s, struct err *err);

#endif
