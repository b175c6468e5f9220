/* Installed plugins, as far as they change which tests there are: pytest11 entry points, -p, PYTEST_PLUGINS.
 * Those that are known to leave ids alone are passed over; of the others the module is read like a conftest
 * (src/_pytest/config/__init__.py: PytestPluginManager). */
#ifndef FASTEST_GENERATOR_PLUGINS_H
#define FASTEST_GENERATOR_PLUGINS_H

#include "generator/eval/module.h"

struct plugins {
    struct strs modules;  /* paths of those that are read */
    bool anyio, asyncio;  /* what they add to tests is known: see tests_function.c */
    const char *doubt;    /* one that cannot be read */
};

void plugins_read(struct world *w, struct plugins *p);
void plugins_release(struct plugins *p);

#endif
