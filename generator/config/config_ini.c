#include "generator/config/config_ini.h"

#include "generator/config/ini.h"

#include <strings.h>

static const char *type_name(const struct toml_value *v)
{
    static const char *const names[] = {
        [TOML_TABLE] = "dict", [TOML_ARRAY] = "list", [TOML_STRING] = "str", [TOML_BOOL] = "bool",
        [TOML_INT] = "int", [TOML_FLOAT] = "float", [TOML_DATE] = "datetime",
    };
    return names[v->type];
}

static bool wrong_type(const struct config_ini *x, const char *name, const char *wanted,
                       const struct toml_value *v)
{
    bool text = v->type == TOML_STRING;
    return err_set(x->err, "%.*s: config option '%s' expects %s, got %s: %s%.*s%s", (int)x->file.n, x->file.p,
                   name, wanted, type_name(v), text ? "'" : "", (int)v->text.n, v->text.n ? v->text.p : "",
                   text ? "'" : "");
}

static bool items_of(const struct config_ini *x, const char *name, const struct config_value *c,
                     struct strs *out)
{
    size_t i = 0;
    for (const struct toml_value *v = c->value->first; v; v = v->next, i++) {
        if (c->native && v->type != TOML_STRING)
            return err_set(x->err, "%.*s: config option '%s' expects a list of strings, but item at index %zu "
                                   "is %s: %.*s", (int)x->file.n, x->file.p, name, i, type_name(v),
                           (int)v->text.n, v->text.n ? v->text.p : "");
        strs_add(out, v->text);
    }
    return true;
}

bool config_ini_args(const struct config_ini *x, const char *name, struct strs *out)
{
    const struct config_value *c = config_dict_get(x->dict, name);
    struct err why = {{0}};
    if (!c)
        return true;
    if (c->value->type == TOML_ARRAY)
        return items_of(x, name, c, out);
    if (c->native)
        return wrong_type(x, name, "a list for type 'args'", c->value);
    return ini_shlex(c->value->text, x->arena, out, &why) ||
           err_set(x->err, "%.*s%s%s: %s", (int)x->file.n, x->file.p, x->file.n ? ": " : "", name, why.msg);
}

bool config_ini_lines(const struct config_ini *x, const char *name, struct strs *out)
{
    const struct config_value *c = config_dict_get(x->dict, name);
    if (!c)
        return true;
    if (c->value->type == TOML_ARRAY)
        return items_of(x, name, c, out);
    if (c->native)
        return wrong_type(x, name, "a list for type 'linelist'", c->value);
    struct str rest = c->value->text, line;
    while (str_next(&rest, '\n', &line))
        if (str_trim(line).n)
            strs_add(out, str_trim(line));
    return true;
}

bool config_ini_text(const struct config_ini *x, const char *name, struct str *out)
{
    const struct config_value *c = config_dict_get(x->dict, name);
    if (!c)
        return true;
    if (c->value->type != TOML_STRING)
        return wrong_type(x, name, "a string", c->value);
    *out = c->value->text;
    return true;
}

bool config_ini_bool(const struct config_ini *x, const char *name, bool *out)
{
    static const struct { const char *word; bool value; } words[] = {
        {"y", true}, {"yes", true}, {"t", true}, {"true", true}, {"on", true}, {"1", true},
        {"n", false}, {"no", false}, {"f", false}, {"false", false}, {"off", false}, {"0", false},
    };
    const struct config_value *c = config_dict_get(x->dict, name);
    if (!c)
        return true;
    if (c->native && c->value->type != TOML_BOOL)
        return wrong_type(x, name, "a bool", c->value);
    struct str s = str_trim(c->value->text);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_z(words[i].word).n == s.n && strncasecmp(words[i].word, s.p, s.n) == 0) {
            *out = words[i].value;
            return true;
        }
    return err_set(x->err, "invalid truth value '%.*s' (config option '%s')", (int)s.n, s.n ? s.p : "", name);
}
