/* Our own table in pyproject.toml, and pytest's addopts, found as pytest finds its rootdir (config_file.h) and
 * without Python. */
#ifndef FASTEST_GENERATOR_OWN_H
#define FASTEST_GENERATOR_OWN_H

#include "generator/config/toml.h"
#include "runtime/base/arena.h"
#include "runtime/base/str.h"

struct own_config {
    struct str root, ini;           /* pytest's rootdir and configuration file; "" when there is none */
    struct str path;                /* the rootdir's pyproject.toml, "" when it has no [tool.fastest] */
    const struct toml_value *table; /* [tool.fastest]; NULL: none */
    struct strs addopts;            /* of pytest's configuration file; malloc'ed */
    struct str cache_dir;           /* pytest's, absolute; "" when its plugin is switched off */
    struct str toml_path;           /* the pyproject.toml that was read last, and what is in it; "" for none */
    struct toml_value toml;
};

/* args: pytest's. What is damaged counts as absent: pytest says so itself. Views live in the arena. */
void own_config_read(struct own_config *c, const char *cwd, char **args, int n_args, struct arena *a);
void own_config_release(struct own_config *c);

#endif
