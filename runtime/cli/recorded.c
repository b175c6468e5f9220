#include "runtime/cli/recorded.h"

#include "runtime/report/json.h"
#include "runtime/report/model.h"

#include <stdlib.h>
#include <string.h>

/* Options that select tests: the records of a whole run are asked. */
static bool selects(const char *arg, bool *with_value)
{
    static const char *const names[] = {"-k", "-m", "--deselect"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(arg, names[i], n) != 0)
            continue;
        *with_value = arg[n] == '\0';
        return arg[1] != '-' || arg[n] == '\0' || arg[n] == '=';
    }
    return false;
}

static char **whole_run(struct recorded *r, int *n_args)
{
    const struct generate_options *o = r->scan;
    char **args = arena_array(&r->arena, (size_t)o->n_args + 1, sizeof *args);
    int n = 0;
    for (int i = 0; i < o->n_args; i++) {
        bool with_value = false;
        char *node = o->args[i][0] == '-' ? NULL : strstr(o->args[i], "::");
        if (selects(o->args[i], &with_value))
            i += with_value;
        else if (node)
            args[n++] = arena_dup(&r->arena, o->args[i], (size_t)(node - o->args[i]));
        else
            args[n++] = o->args[i];
    }
    *n_args = n;
    return args;
}

/* Only where a run left its plan: discovery alone makes no state of a run. */
static bool was_run(const struct generate_options *o, const char *root)
{
    struct buf path = {0};
    if (o->state_dir)
        path_join(&path, str_z(o->cwd), str_z(o->state_dir));
    else
        path_join(&path, str_z(root), STR(".fastest"));
    buf_z(&path, "/keys.bin");
    bool yes = io_stat_path(path.p).kind == IO_FILE;
    buf_release(&path);
    return yes;
}

static void ask(struct recorded *r, struct str path)
{
    enum exit_code code;
    struct err ignored;
    struct generate_options o = *r->scan;
    bool found = o.state_dir && was_run(&o, "/");
    for (struct str up = path_dir(path); !found && !o.state_dir && up.n > 1; up = path_dir(up)) {
        char *dir = arena_dup(&r->arena, up.p, up.n);
        found = was_run(&o, dir);
    }
    o.args = whole_run(r, &o.n_args);
    r->usable = found && generate(&o, &r->plan, &code, &ignored);
    for (uint32_t i = 0; r->usable && i < r->plan.n_modules; i++)
        *map_put(&r->modules, r->plan.modules[i].path, NULL) = i + 1;
}

/* A module that failed keeps its ids while all that it read is as it was. */
static bool is_current(const struct plan_module *m, const struct record *rec)
{
    if (!m->stale)
        return true;
    if (!hash128_eq(rec->key, m->key) || rec->flags & (REC_CHANGED | REC_ALL_SOURCES))
        return false;
    for (uint32_t i = 0; i < rec->n_deps; i++)
        if (!record_dep_holds(&rec->deps[i]))
            return false;
    return true;
}

static void copy_items(struct recorded *r, const struct report_meta *meta, struct discover_item **items, uint32_t *n)
{
    *n = meta->n_items;
    *items = arena_array(&r->arena, *n, sizeof **items);
    for (uint32_t i = 0; i < *n; i++) {
        const struct report_item *from = &meta->items[i];
        struct str *keywords = arena_array(&r->arena, from->n_keywords, sizeof *keywords);
        for (uint32_t k = 0; k < from->n_keywords; k++)
            keywords[k] = (struct str){arena_dup(&r->arena, from->keywords[k].p, from->keywords[k].n), from->keywords[k].n};
        (*items)[i] = (struct discover_item){.id = {arena_dup(&r->arena, from->id.p, from->id.n), from->id.n},
                                             .line = from->line < 0 ? 0 : (uint32_t)from->line + 1,
                                             .keywords = keywords, .n_keywords = from->n_keywords};
    }
}

bool recorded_items(void *ctx, struct str path, struct discover_item **items, uint32_t *n)
{
    struct recorded *r = ctx;
    struct record rec;
    struct report_meta meta = {0};
    struct arena arena = {0};
    if (!r->asked) {
        r->asked = true;
        ask(r, path);
    }
    uintptr_t *at = r->usable ? map_get(&r->modules, path) : NULL;
    if (!at)
        return false;
    const struct plan_module *m = &r->plan.modules[*at - 1];
    if (!record_load(&rec, m->record.p, r->plan.root, false))
        return false;
    bool ok = is_current(m, &rec) && json_parse_meta(rec.meta, &arena, &meta) && !meta.error;
    if (ok)
        copy_items(r, &meta, items, n);
    record_release(&rec);
    arena_release(&arena);
    return ok;
}

void recorded_release(struct recorded *r)
{
    if (r->usable)
        plan_release(&r->plan);
    map_release(&r->modules);
    arena_release(&r->arena);
}
