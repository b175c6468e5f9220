/* The whole of discovery: configuration, walk, statements, tests, selection. No process is started where
 * interp.h does not need one.
 *
 * struct discovered d = {0}; if (discover(&o, &d, &code, &err)) … d.tests[i] …; discover_release(&d) */
#ifndef FASTEST_GENERATOR_DISCOVER_H
#define FASTEST_GENERATOR_DISCOVER_H

#include "generator/collect/tests.h"
#include "generator/config/config.h"
#include "generator/source/stmt_store.h"

/* A test as the last run collected it. */
struct discover_item {
    struct str id;
    uint32_t line;            /* from 1, 0 for none */
    const struct str *keywords;
    uint32_t n_keywords;
};

struct discover_options {
    const struct generate_options *generate; /* interpreter, cwd, pytest's arguments */
    const char *parser;                      /* --parser, or NULL */
    bool no_cache;
    bool listing_is_enough;                  /* the tests may be left out where the last answer holds (not with -qq) */
    unsigned threads;                        /* 0: one a processor */
    const struct strs *only;                 /* these files (absolute) instead of a walk; NULL: the walk */
    /* The items of a module (absolute path) as the last run recorded them, when the record is still of this
     * source; false when there is none. NULL: no records. Called for modules that the source leaves in doubt. */
    bool (*recorded)(void *ctx, struct str path, struct discover_item **items, uint32_t *n);
    void *recorded_ctx;
};

struct discover_error {
    struct str path;          /* relative to rootdir */
    uint32_t line, column;    /* from 1 and 0; line 0: none */
    struct str what;
};

/* What --collect-only -q prints of an answer without errors. */
struct discover_listing {
    struct str lines;                        /* p is NULL: not made */
    size_t n_listed, n_doubtful;
};

struct discovered {
    struct config config;
    struct discover_listing listing;         /* of a last answer that holds; its tests may be left out then */
    struct test *tests;       /* selected, in pytest's order; errors are in it too (error is set) */
    size_t n, n_deselected;
    struct discover_error *errors;
    size_t n_errors;
    struct stmt_store_counts counts;
    struct err warning;       /* the cache could not be written: msg is "" when it could */
    struct discover_state *state; /* owns everything */
};

/* Is it an id that pytest prints? Not a class or module that stands for its tests, nor an error. */
bool discover_is_listed(const struct test *t);
bool discover(const struct discover_options *o, struct discovered *out, enum exit_code *code, struct err *err);
void discover_release(struct discovered *d);

#endif
