#include "generator/settings.h"

#include "generator/config/toml.h"
#include "runtime/base/units.h"

#include <stdlib.h>
#include <string.h>

enum kind { DURATION, COUNT, SIZE, YES_NO, ISOLATION };
static const char *const wanted[] = {
    [DURATION] = "time (10, 1.5s, 2m)", [COUNT] = "number", [SIZE] = "size (500M, 2G)", [YES_NO] = "boolean",
    [ISOLATION] = "isolation (batch, session, test, process)"};
static const char *const isolations[N_ISOLATIONS] = {
    [ISOLATION_BATCH] = "batch", [ISOLATION_SESSION] = "session", [ISOLATION_TEST] = "test", [ISOLATION_PROCESS] = "process"};

static const struct setting {
    const char *name;
    enum kind kind;
    size_t offset;
} settings[] = {
    {"batch-timeout", DURATION, offsetof(struct plan_options, batch_timeout_ms)},
    {"slow-after", DURATION, offsetof(struct plan_options, slow_ms)},
    {"pool-idle", DURATION, offsetof(struct plan_options, idle_ms)},
    {"retries", COUNT, offsetof(struct plan_options, retries)},
    {"worker-memory", SIZE, offsetof(struct plan_options, worker_memory)},
    {"confirm", YES_NO, offsetof(struct plan_options, confirms)},
    {"isolation", ISOLATION, offsetof(struct plan_options, isolation)},
};

void settings_default(struct plan_options *o)
{
    o->slow_ms = 60 * 1000;
    o->idle_ms = 10 * 60 * 1000;
    o->confirms = true;
}

static bool set_count(uint32_t *out, struct str value)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9' || n > 1000000)
            return false;
        n = n * 10 + (uint64_t)(value.p[i] - '0');
    }
    *out = (uint32_t)n;
    return value.n > 0;
}

static bool set_isolation(enum isolation *out, struct str value)
{
    for (int i = 0; i < N_ISOLATIONS; i++)
        if (str_eq(value, str_z(isolations[i]))) {
            *out = (enum isolation)i;
            return true;
        }
    return false;
}

static bool set_field(const struct setting *s, struct plan_options *o, struct str value)
{
    void *field = (char *)o + s->offset;
    switch (s->kind) {
    case DURATION:
        return units_duration_ms(value, field);
    case COUNT:
        return set_count(field, value);
    case SIZE:
        return units_size_bytes(value, field);
    case YES_NO:
        *(bool *)field = str_eq(value, STR("true"));
        return *(bool *)field || str_eq(value, STR("false"));
    case ISOLATION:
        return set_isolation(field, value);
    }
    return false;
}

bool settings_set(struct plan_options *o, const char *name, struct str value, struct err *err)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (strcmp(settings[i].name, name) == 0)
            return set_field(&settings[i], o, value) ||
                   err_set(err, "%s: '%.*s' is no %s", name, (int)value.n, value.p, wanted[settings[i].kind]);
    return err_set(err, "%s: there is no such setting", name);
}

/* ---- [tool.fastest] ---- */

static struct str keep(struct plan *p, struct str s)
{
    return (struct str){arena_dup(&p->arena, s.p ? s.p : "", s.n), s.n};
}

static uint32_t count_of(const struct toml_value *list)
{
    uint32_t n = 0;
    for (const struct toml_value *v = list ? list->first : NULL; v; v = v->next)
        n++;
    return n;
}

static bool not_globs(struct str path, const struct toml_value *v, struct err *err)
{
    return err_set(err, "%.*s:%u: [tool.fastest] %.*s: a list of patterns of test modules is wanted, as in [\"tests/db/*\"]",
                   (int)path.n, path.p, v->line, (int)v->key.n, v->key.p);
}

static bool are_globs(const struct toml_value *list)
{
    bool ok = list->type == TOML_ARRAY;
    for (const struct toml_value *v = list->first; ok && v; v = v->next)
        ok = v->type == TOML_STRING;
    return ok;
}

static bool read_serial(struct plan *p, struct str path, const struct toml_value *list, struct err *err)
{
    if (!list)
        return true;
    if (!are_globs(list))
        return not_globs(path, list, err);
    p->serial = arena_array(&p->arena, count_of(list), sizeof *p->serial);
    for (const struct toml_value *v = list->first; v; v = v->next)
        p->serial[p->n_serial++] = keep(p, v->text);
    return true;
}

/* groups = {name = ["pattern", …], …} */
static bool read_groups(struct plan *p, struct str path, const struct toml_value *table, struct err *err)
{
    uint32_t n = 0;
    if (!table)
        return true;
    if (table->type != TOML_TABLE)
        return not_globs(path, table, err);
    for (const struct toml_value *list = table->first; list; list = list->next)
        n += count_of(list);
    p->groups = arena_array(&p->arena, n, sizeof *p->groups);
    for (const struct toml_value *list = table->first; list; list = list->next) {
        if (!are_globs(list))
            return not_globs(path, list, err);
        for (const struct toml_value *v = list->first; v; v = v->next)
            p->groups[p->n_groups++] = (struct plan_group){keep(p, list->key), keep(p, v->text)};
    }
    return true;
}

static bool read_table(struct plan *p, struct str path, const struct toml_value *table, struct err *err)
{
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        const struct toml_value *v = toml_get(table, str_z(settings[i].name));
        if (v && (v->type == TOML_TABLE || v->type == TOML_ARRAY || !set_field(&settings[i], &p->options, v->text)))
            return err_set(err, "%.*s:%u: [tool.fastest] %s: '%.*s' is no %s", (int)path.n, path.p, v->line, settings[i].name,
                           (int)v->text.n, v->text.p, wanted[settings[i].kind]);
    }
    return read_serial(p, path, toml_get(table, STR("serial")), err) &&
           read_groups(p, path, toml_get(table, STR("groups")), err);
}

bool settings_read(struct plan *p, struct str root, struct err *err)
{
    struct buf path = {0}, text = {0};
    struct arena a = {0};
    struct toml_value toml;
    bool ok = true;
    path_join(&path, root, STR("pyproject.toml"));
    if (io_stat_path(path.p).kind == IO_FILE && io_read(path.p, 0, &text, NULL) &&
        str_contains(buf_view(&text), STR("tool.fastest")) &&
        toml_parse_tool(&toml, buf_view(&path), buf_view(&text), &a, NULL)) {
        const struct toml_value *table = toml_get(toml_get(&toml, STR("tool")), STR("fastest"));
        ok = !table || read_table(p, buf_view(&path), table, err);
    }
    arena_release(&a);
    buf_release(&path);
    buf_release(&text);
    return ok;
}
