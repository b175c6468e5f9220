#include "generator/config/own.h"

#include "generator/config/config_file.h"
#include "generator/config/config_ini.h"
#include "generator/config/ini.h"
#include "runtime/base/io.h"

#include <stdlib.h>

enum { NEWEST = 902 }; /* the pytest whose rules are taken */

static void find_table(struct own_config *c, struct config_loader *loader, struct arena *a)
{
    struct buf b = {0};
    struct err ignored;
    path_join(&b, c->root, STR("pyproject.toml"));
    struct str path = {arena_dup(a, b.p, b.n), b.n};
    buf_release(&b);
    if (io_stat_path(path.p).kind != IO_FILE || !config_file_pyproject(loader, path, &ignored))
        return;
    c->table = toml_get(toml_get(&loader->toml, STR("tool")), STR("fastest"));
    if (c->table)
        c->path = path;
}

void own_config_read(struct own_config *c, const char *cwd, char **args, int n_args, struct arena *a)
{
    struct config_args_rules rules = {NEWEST, true, str_z(cwd), a};
    struct config_loader loader = {.pytest = NEWEST, .arena = a, .toml_path = STR("")};
    struct config_args parsed = {0};
    struct config_found found = {0};
    struct strs given = {0};
    struct err ignored = {{0}};
    *c = (struct own_config){.root = STR(""), .ini = STR(""), .path = STR("")};
    if (!ini_shlex(str_z(getenv("PYTEST_ADDOPTS")), a, &given, &ignored))
        given.n = 0;
    for (int i = 0; i < n_args; i++)
        strs_add(&given, str_z(args[i]));
    if (config_args_parse(&parsed, &given, &rules, &ignored) &&
        config_find(&found, &loader, &parsed, str_z(cwd), &ignored)) {
        struct config_ini ini = {&found.dict, found.ini, a, &ignored};
        c->root = found.root;
        c->ini = found.ini;
        if (!config_ini_args(&ini, "addopts", &c->addopts))
            c->addopts.n = 0;
        find_table(c, &loader, a);
    }
    config_args_release(&parsed);
    config_dict_release(&found.dict);
    strs_release(&given);
}

void own_config_release(struct own_config *c)
{
    strs_release(&c->addopts);
}
