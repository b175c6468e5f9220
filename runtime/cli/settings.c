#include "runtime/cli/settings.h"

#include "runtime/base/io.h"
#include "runtime/base/nearest.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

const struct setting setting_lists[] = {
    {"env", "variables on which results depend"},
    {"inputs", "patterns of files below the root on which all results depend, and $VARIABLES"},
    {"always", "patterns of test modules or directories that run every time"},
    {"serial", "patterns of test modules beside which nothing runs"},
    {"groups", "a table: name = patterns of test modules that one worker runs, one after the other"},
    {0}};

const struct setting setting_variables[] = {
    {"FASTEST_ADDOPTS", "options that come before those of the command line"},
    {"FASTEST_CACHE_DIR", "directory of the parse cache (default: $XDG_CACHE_HOME/fastest, then ~/.cache/fastest)"},
    {"FASTEST_CACHE_SIZE", "its limit in bytes"},
    {"NINJA", "the ninja to use"},
    {"PYTEST_ADDOPTS", "pytest's own"},
    {0}};

void setting_variable_name(const char *option, char *out, size_t size)
{
    size_t n = (size_t)snprintf(out, size, "FASTEST_%s", option);
    for (size_t i = 0; i < n && i + 1 < size; i++)
        out[i] = out[i] == '-' ? '_' : (char)toupper((unsigned char)out[i]);
}

/* ---- [tool.fastest] ---- */

/* A key is spelled with '-' or '_'. */
static const struct opt *row_of_key(struct str key, struct buf *name)
{
    buf_clear(name);
    buf_str(name, key);
    for (size_t i = 0; i < name->n; i++)
        if (name->p[i] == '_')
            name->p[i] = '-';
    const struct opt *o = name->n ? opt_find(cli_options, FOR_CONFIG, buf_view(name)) : NULL;
    return o && o->help ? o : NULL;
}

static bool is_list(struct str key)
{
    for (const struct setting *l = setting_lists; l->name; l++)
        if (str_eq(key, str_z(l->name)))
            return true;
    return false;
}

static bool refuse_key(const struct toml_value *v, struct str where, struct err *err)
{
    struct nearest near = {.word = v->key};
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->scope & FOR_CONFIG && o->help)
            nearest_try(&near, str_z(o->name));
    for (const struct setting *l = setting_lists; l->name; l++)
        nearest_try(&near, str_z(l->name));
    if (near.best.p)
        return err_set(err, "%.*s: [tool.fastest] %.*s: no such key; did you mean %.*s?", (int)where.n, where.p,
                       (int)v->key.n, v->key.p, (int)near.best.n, near.best.p);
    return err_set(err, "%.*s: [tool.fastest] %.*s: no such key; `fastest config` lists them", (int)where.n, where.p,
                   (int)v->key.n, v->key.p);
}

static bool check_list(const struct toml_value *v, const char *what, struct err *err)
{
    bool ok = v->type == TOML_ARRAY;
    for (const struct toml_value *i = ok ? v->first : NULL; i; i = i->next)
        ok = ok && i->type == TOML_STRING;
    return ok || err_set(err, "%s: a list of strings is wanted", what);
}

static void take_serial(struct settings *s, const struct toml_value *list)
{
    for (const struct toml_value *v = list->first; v; v = v->next)
        strs_add(&s->serial, v->text);
}

/* groups = {name = ["pattern", …], …} */
static bool take_groups(struct settings *s, const struct toml_value *table, const char *what, struct err *err)
{
    size_t cap = 0;
    if (table->type != TOML_TABLE)
        return err_set(err, "%s: a table of lists is wanted, as in db = [\"tests/db/*\"]", what);
    for (const struct toml_value *list = table->first; list; list = list->next) {
        if (!check_list(list, what, err))
            return false;
        for (const struct toml_value *v = list->first; v; v = v->next) {
            s->groups = xgrow(s->groups, &cap, (size_t)s->n_groups + 1, sizeof *s->groups);
            s->groups[s->n_groups++] = (struct plan_group){list->key, v->text};
        }
    }
    return true;
}

static bool check_type(const struct toml_value *v, const struct opt *o, const char *what, struct err *err)
{
    switch (o->kind) {
    case OPT_FLAG:
        return v->type == TOML_BOOL || err_set(err, "%s: true or false is wanted", what);
    case OPT_INT:
        return v->type == TOML_INT || (v->type == TOML_STRING && o->words) || err_set(err, "%s: a number is wanted", what);
    case OPT_STRING:
        return v->type == TOML_STRING || err_set(err, "%s: a string is wanted", what);
    }
    return false;
}

/* Paths of the file mean what they would beside it; a program's name alone is looked for on PATH. */
static const char *value_text(struct cli *c, const struct settings *s, const struct toml_value *v, const struct opt *o)
{
    struct buf b = {0};
    bool path = o->metavar && (!strcmp(o->metavar, "FILE") || !strcmp(o->metavar, "DIR") ||
                               (!strcmp(o->metavar, "PATH") && str_chr(v->text, '/') < v->text.n));
    if (path)
        path_join(&b, s->own.root, v->text);
    else
        buf_str(&b, v->text);
    const char *text = arena_dup(&c->arena, b.p ? b.p : "", b.n);
    buf_release(&b);
    return text;
}

static bool apply_key(struct settings *s, struct cli *c, const struct toml_value *v, struct err *err)
{
    struct buf where = {0}, what = {0}, name = {0};
    bool ok;
    path_relative(&where, s->own.path, str_z(c->cwd));
    buf_printf(&where, ":%u", v->line);
    buf_printf(&what, "%s: [tool.fastest] %.*s", where.p, (int)v->key.n, v->key.p);
    const struct opt *o = row_of_key(v->key, &name);
    if (o)
        ok = check_type(v, o, what.p, err) && opt_set(o, c, what.p, value_text(c, s, v, o), err);
    else if (str_eq(v->key, STR("groups")))
        ok = take_groups(s, v, what.p, err);
    else if (is_list(v->key))
        ok = check_list(v, what.p, err);
    else
        ok = refuse_key(v, buf_view(&where), err);
    if (ok && str_eq(v->key, STR("serial")))
        take_serial(s, v);
    if (ok && o)
        cli_note(c, o, where.p);
    buf_release(&where);
    buf_release(&what);
    buf_release(&name);
    return ok;
}

/* ---- the environment ---- */

static bool apply_variables(struct cli *c, struct err *err)
{
    char name[80];
    for (const struct opt *o = cli_options; o->name; o++) {
        if (!(o->scope & FOR_CONFIG) || !o->help)
            continue;
        setting_variable_name(o->name, name, sizeof name);
        const char *value = getenv(name);
        if (!value || !*value)
            continue;
        if (!opt_set(o, c, name, value, err))
            return false;
        cli_note(c, o, name);
    }
    return true;
}

static void known_variables(struct strs *out, struct arena *a)
{
    char name[80];
    for (const struct setting *v = setting_variables; v->name; v++)
        strs_add(out, str_z(v->name));
    for (const struct opt *o = cli_options; o->name; o++)
        if (o->scope & FOR_CONFIG && o->help) {
            setting_variable_name(o->name, name, sizeof name);
            strs_add(out, (struct str){arena_dup(a, name, strlen(name)), strlen(name)});
        }
}

/* One of ours but for a slip of the keyboard is an error; other programs may have theirs. */
static bool check_variables(struct cli *c, struct err *err)
{
    struct strs known = {0};
    bool ok = true;
    for (char **e = environ; ok && e && *e; e++) {
        struct nearest near = {.word = {*e, strcspn(*e, "=")}};
        if (strncmp(*e, "FASTEST_", 8) != 0 || !near.word.p[8])
            continue;
        if (!known.n)
            known_variables(&known, &c->arena);
        if (strs_has(&known, near.word))
            continue;
        for (size_t i = 0; i < known.n; i++)
            nearest_try(&near, known.items[i]);
        if (near.best.p && near.distance <= 2)
            ok = err_set(err, "%.*s: no such variable; did you mean %.*s?", (int)near.word.n, near.word.p,
                         (int)near.best.n, near.best.p);
    }
    strs_release(&known);
    return ok;
}

/* ---- both ---- */

void settings_find(struct settings *s, const struct cli *c, struct arena *a)
{
    own_config_read(&s->own, c->cwd, c->pytest_args, c->n_pytest_args, a);
}

bool settings_apply_file(struct settings *s, struct cli *c, struct err *err)
{
    bool ok = true;
    if (s->own.table && s->own.table->type != TOML_TABLE)
        return err_set(err, "%.*s:%u: tool.fastest: a table is wanted", (int)s->own.path.n, s->own.path.p,
                       s->own.table->line);
    for (const struct toml_value *v = s->own.table ? s->own.table->first : NULL; ok && v; v = v->next)
        ok = apply_key(s, c, v, err);
    return ok;
}

bool settings_apply_variables(struct cli *c, struct err *err)
{
    return check_variables(c, err) && apply_variables(c, err);
}

void settings_release(struct settings *s)
{
    own_config_release(&s->own);
    strs_release(&s->serial);
    free(s->groups);
}
