/* pytest's grouping of tests by parameters of a scope above the function's (src/_pytest/fixtures.py,
 * reorder_items): tests that share one run together, so that it is set up once. */
#ifndef FASTEST_GENERATOR_ORDER_H
#define FASTEST_GENERATOR_ORDER_H

#include "generator/collect/tests.h"

/* In place. Cheap when no test has keys. */
void order_tests(struct test *tests, size_t n);

#endif
