#include "generator/config/config_file.h"

#include "generator/config/ini.h"
#include "runtime/base/io.h"

#include <stdlib.h>

enum { MAX_CONFIG_BYTES = 16 << 20 };

const struct config_value *config_dict_get(const struct config_dict *d, const char *name)
{
    for (size_t i = d->n; i-- > 0;)
        if (str_eq(d->items[i].name, str_z(name)))
            return &d->items[i];
    return NULL;
}

void config_dict_put(struct config_dict *d, struct config_value v)
{
    d->items = xgrow(d->items, &d->cap, d->n + 1, sizeof *d->items);
    d->items[d->n++] = v;
}

void config_dict_release(struct config_dict *d)
{
    free(d->items);
    *d = (struct config_dict){0};
}

static void put_text(struct config_dict *d, struct arena *a, struct str name, struct str text)
{
    struct toml_value *v = arena_alloc(a, sizeof *v);
    *v = (struct toml_value){.type = TOML_STRING, .text = text};
    config_dict_put(d, (struct config_value){.name = name, .value = v});
}

static int from_ini(struct config_loader *l, struct str path, struct str text, bool cfg, bool always,
                    struct config_dict *out, struct err *err)
{
    struct ini ini = {0};
    struct str wanted = cfg ? STR("tool:pytest") : STR("pytest");
    int result = -1;
    if (ini_parse(&ini, path, text, l->arena, err)) {
        result = ini_has(&ini, wanted) || always;
        for (size_t i = 0; i < ini.n; i++)
            if (ini.items[i].name.p && str_eq(ini.items[i].section, wanted))
                put_text(out, l->arena, ini.items[i].name, ini.items[i].value);
        if (cfg && !result && ini_has(&ini, STR("pytest"))) {
            err_set(err, "[pytest] section in setup.cfg files is no longer supported, change to "
                         "[tool:pytest] instead.");
            result = -1;
        }
    }
    ini_release(&ini);
    return result;
}

/* INI mode: what is not a list becomes str() of it. */
static struct str scalar_text(const struct toml_value *v)
{
    if (v->type == TOML_BOOL)
        return str_eq(v->text, STR("true")) ? STR("True") : STR("False");
    return v->text;
}

static void put_table(struct config_loader *l, const struct toml_value *table, bool native,
                      struct config_dict *out)
{
    for (const struct toml_value *v = table->first; v; v = v->next) {
        if (!native && v->type != TOML_ARRAY)
            put_text(out, l->arena, v->key, scalar_text(v));
        else if (!native || !str_eq(v->key, STR("ini_options")))
            config_dict_put(out, (struct config_value){.name = v->key, .value = v, .native = native});
    }
}

/* [tool.pytest] and [tool.pytest.ini_options]. */
static int from_tool_table(struct config_loader *l, struct str path, const struct toml_value *root,
                           struct config_dict *out, struct err *err)
{
    const struct toml_value *table = toml_get(toml_get(root, STR("tool")), STR("pytest"));
    const struct toml_value *options = toml_get(table, STR("ini_options"));
    if (options && options->type != TOML_TABLE)
        options = NULL;
    bool native = false;
    for (const struct toml_value *v = table && table->type == TOML_TABLE ? table->first : NULL; v; v = v->next)
        native = native || !str_eq(v->key, STR("ini_options"));
    native = native && l->pytest >= 900;
    if (native && options && options->first) {
        err_set(err, "%.*s: Cannot use both [tool.pytest] (native TOML types) and "
                     "[tool.pytest.ini_options] (string-based INI format) simultaneously. "
                     "Please use [tool.pytest] with native TOML types (recommended) or "
                     "[tool.pytest.ini_options] for backwards compatibility.", (int)path.n, path.p);
        return -1;
    }
    if (native)
        put_table(l, table, true, out);
    else if (options)
        put_table(l, options, false, out);
    return native || options;
}

/* [pytest] of a pytest.toml. */
static int from_own_table(struct config_loader *l, struct str path, const struct toml_value *root,
                          struct config_dict *out, struct err *err)
{
    const struct toml_value *table = toml_get(root, STR("pytest"));
    if (table && table->type == TOML_TABLE) {
        put_table(l, table, true, out);
        return 1;
    }
    for (const struct toml_value *v = root->first; v && l->pytest >= 902; v = v->next) {
        if (v->type == TOML_TABLE)
            continue;
        err_set(err, "%.*s: pytest configuration must be under a [pytest] table (found top-level options: "
                     "%.*s)", (int)path.n, path.p, (int)v->key.n, v->key.p);
        return -1;
    }
    return 0;
}

bool config_file_pyproject(struct config_loader *l, struct str path, struct err *err)
{
    struct buf text = {0};
    if (str_eq(path, l->toml_path))
        return true;
    bool ok = io_read(path.p, MAX_CONFIG_BYTES, &text, err) &&
              toml_parse_tool(&l->toml, path, buf_view(&text), l->arena, err);
    l->toml_path = ok ? path : STR("");
    buf_release(&text);
    return ok;
}

static int from_toml(struct config_loader *l, struct str path, struct str text, struct config_dict *out,
                     struct err *err)
{
    struct str name = path_base(path);
    bool own = str_eq(name, STR("pytest.toml")) || str_eq(name, STR(".pytest.toml"));
    struct toml_value root;
    if (!toml_parse(&root, path, text, l->arena, err))
        return -1;
    if (own && l->pytest >= 900) {
        int result = from_own_table(l, path, &root, out, err);
        return result < 0 ? -1 : 1; /* always the source of configuration */
    }
    int result = from_tool_table(l, path, &root, out, err);
    if (result == 0 && l->pytest >= 902)
        result = from_own_table(l, path, &root, out, err);
    else if (result == 1 && l->pytest >= 902 && toml_get(&root, STR("pytest")))
        result = err_set(err, "%.*s: Cannot use both [pytest] and [tool.pytest]/[tool.pytest.ini_options] in "
                              "the same file.", (int)path.n, path.p) - 1;
    return result;
}

int config_file_load(struct config_loader *l, struct str path, struct config_dict *out, struct err *err)
{
    struct str name = path_base(path);
    if (str_eq(name, STR("pyproject.toml")))
        return config_file_pyproject(l, path, err) ? from_tool_table(l, path, &l->toml, out, err) : -1;
    bool cfg = str_ends(name, STR(".cfg")), ini = str_ends(name, STR(".ini"));
    if (!cfg && !ini && !str_ends(name, STR(".toml")))
        return 0;
    struct buf text = {0};
    int result = -1;
    bool always = str_eq(name, STR("pytest.ini")) ||
                  (str_eq(name, STR(".pytest.ini")) && l->pytest >= 900);
    if (io_read(path.p, MAX_CONFIG_BYTES, &text, err))
        result = cfg || ini ? from_ini(l, path, buf_view(&text), cfg, always, out, err)
                            : from_toml(l, path, buf_view(&text), out, err);
    buf_release(&text);
    return result;
}
