/* What every unit test includes: cmocka wants these headers before its own. */
#ifndef FASTEST_TESTS_UNIT_H
#define FASTEST_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#define assert_str(view, literal)                                                                  \
    do {                                                                                           \
        struct str seen_ = (view);                                                                 \
        assert_int_equal(seen_.n, sizeof(literal) - 1);                                            \
        assert_memory_equal(seen_.p, literal, sizeof(literal) - 1);                                \
    } while (0)

/* A fresh directory as the test's *state, removed with all that is in it. */
static inline int temp_dir_new(void **state)
{
    char *dir = strdup("/tmp/fastest-unit-XXXXXX");
    *state = dir;
    return dir && mkdtemp(dir) ? 0 : -1;
}

static inline int temp_dir_remove(void **state)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", (char *)*state);
    int rc = system(command);
    free(*state);
    return rc;
}

/* dir/name; the caller frees. */
static inline char *temp_path(void **state, const char *name)
{
    struct buf b = {0};
    buf_printf(&b, "%s/%s", (const char *)*state, name);
    return b.p;
}

#endif
