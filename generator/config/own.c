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

/* resolve_from_str(config.getini("cache_dir"), rootpath). */
static void find_cache_dir(struct own_config *c, const struct config_ini *ini, const struct config_args *args,
                           struct arena *a)
{
    struct str given = STR(".pytest_cache");
    struct buf expanded = {0}, path = {0};
    const char *home = getenv("HOME");
    for (size_t i = 0; i < args->plugins.n; i++)
        if (str_eq(str_trim(args->plugins.items[i]), STR("no:cacheprovider")))
            return;
    config_ini_text(ini, "cache_dir", &given);
    if (home && (str_eq(given, STR("~")) || str_starts(given, STR("~/")))) {
        buf_z(&expanded, home);
        given = str_slice(given, 1, given.n);
    }
    config_find_expand(given, &expanded);
    path_join(&path, c->root, buf_view(&expanded));
    c->cache_dir = (struct str){arena_dup(a, path.p, path.n), path.n};
    buf_release(&expanded);
    buf_release(&path);
}

/* The whole of pytest's command line: its file's addopts, the variable's, the arguments. */
static void find_by_options(struct own_config *c, const struct config_ini *ini, const struct strs *given,
                            const struct config_args_rules *rules)
{
    struct strs all = {0};
    struct config_args parsed = {0};
    struct err ignored;
    for (size_t i = 0; i < c->addopts.n; i++)
        strs_add(&all, c->addopts.items[i]);
    for (size_t i = 0; i < given->n; i++)
        strs_add(&all, given->items[i]);
    if (config_args_parse(&parsed, &all, rules, &ignored))
        find_cache_dir(c, ini, &parsed, rules->arena);
    config_args_release(&parsed);
    strs_release(&all);
}

void own_config_read(struct own_config *c, const char *cwd, char **args, int n_args, struct arena *a)
{
    struct config_args_rules rules = {NEWEST, true, str_z(cwd), a};
    struct config_loader loader = {.pytest = NEWEST, .arena = a, .toml_path = STR("")};
    struct config_args parsed = {0};
    struct config_found found = {0};
    struct strs given = {0};
    struct err ignored = {{0}};
    *c = (struct own_config){.root = STR(""), .ini = STR(""), .path = STR(""), .cache_dir = STR("")};
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
        find_by_options(c, &ini, &given, &rules);
        find_table(c, &loader, a);
    }
    c->toml_path = loader.toml_path;
    c->toml = loader.toml;
    config_args_release(&parsed);
    config_dict_release(&found.dict);
    strs_release(&given);
}

void own_config_release(struct own_config *c)
{
    strs_release(&c->addopts);
}
