/* The tests of a module: pytest's collection from the source alone (pytest 7.0 to 9.2, src/_pytest/
 * python.py, unittest.py). What only a run can know is listed by function and marked inexact. */
#ifndef FASTEST_GENERATOR_TESTS_H
#define FASTEST_GENERATOR_TESTS_H

#include "generator/collect/fixtures.h"
#include "generator/collect/ids.h"

/* A parameter of a scope above the function's: pytest groups tests by it. */
struct test_key {
    enum fixture_scope scope;
    struct str name;
    uint32_t index;
};
struct test_param {
    struct str name;
    struct value value;
};
struct test_skip {
    bool certain;
    struct str reason;
    uint32_t line;            /* 0: the item's own place */
};
struct test {
    struct str id;            /* node id, relative to rootdir */
    struct str function;      /* without parameters; "" for a whole module or class */
    struct str class;         /* "TestA::TestInner", "" for none */
    const void *class_ref;    /* tells classes apart */
    uint32_t line;            /* from 1: of its first decorator, or its own */
    const char *doubt;        /* NULL: exact. Else why it is listed by function, class or module */
    bool error;               /* pytest fails to collect it */
    bool may_fail;            /* it may, and with it its class or module */
    const struct value *marks;/* closest first */
    uint32_t n_marks, n_own;  /* n_own: those of the function itself and of its parameters */
    bool decorated;           /* the function has marks of its own */
    const struct test_param *params;
    uint32_t n_params;
    const struct test_key *keys;
    uint32_t n_keys;
    struct test_skip skip;
};

struct tests_options {
    struct str relative;            /* of the module, to rootdir */
    const struct strs *plugins;     /* paths of plugins that are read like conftests; may be NULL */
    bool anyio, asyncio;            /* these plugins are there */
    const struct strs *conftests;   /* paths that apply, from far to near */
    const char *doubt;              /* about all: a hook that may change what is collected */
};

/* Calls `add` for each, in pytest's order before it groups by parameters. What it is given lives as long as
 * the world. NULL options->conftests: none. */
void tests_collect(struct world *w, struct str path, const struct tests_options *o,
                   void (*add)(void *ctx, const struct test *t), void *ctx);
#endif
