#include "generator/eval/module.h"

#include "generator/eval/scope.h"
#include "runtime/base/io.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_MODULES_DEEP = 200 };

static struct str copy(struct world *w, struct str s)
{
    return (struct str){arena_dup(&w->arena, s.p ? s.p : "", s.n), s.n};
}

struct str world_join(struct world *w, struct str a, const char *sep, struct str b)
{
    char *p = arena_alloc(&w->arena, a.n + b.n + 2);
    size_t n = strlen(sep);
    memcpy(p, a.p, a.n);
    memcpy(p + a.n, sep, n);
    memcpy(p + a.n + n, b.p, b.n);
    return (struct str){p, a.n + n + b.n};
}

struct dir *world_dir(struct world *w, struct str dir, struct str name)
{
    buf_clear(&w->scratch);
    buf_str(&w->scratch, dir);
    buf_char(&w->scratch, '/');
    buf_str(&w->scratch, name);
    return dirs_open(&w->dirs, buf_view(&w->scratch));
}

/* ---- modules ---- */

const struct module world_nowhere = {.path = {"/x.py", 5}, .name = {"x", 1}, .base = {"", 0}};

static void name_module(struct world *w, struct module *m)
{
    struct str name = str_slice(path_base(m->path), 0, path_base(m->path).n - 3), dir = path_dir(m->path);
    if (m->is_package) {
        name = path_base(dir);
        dir = path_dir(dir);
    }
    for (; dir.n > 1; dir = path_dir(dir)) {
        if (!dirs_open(&w->dirs, dir)->package)
            break;
        name = world_join(w, path_base(dir), ".", name);
    }
    m->name = name;
    m->base = dir;
}

static void read_statements(struct world *w, struct module *m, struct str packed)
{
    struct stmt s;
    size_t n = 0;
    for (struct str rest = packed; stmts_next(&rest, &s);)
        n++;
    m->stmts = arena_array(&w->arena, n, sizeof *m->stmts);
    for (struct str rest = packed; stmts_next(&rest, &s);) {
        if (s.kind == STMT_MUTATED) {
            strs_add(&m->mutated, s.text);
        } else if (s.kind == STMT_ERROR) {
            m->error_line = s.line;
            m->error_column = s.column;
            m->error = s.text;
        } else {
            m->stmts[m->n_stmts++] = s;
        }
    }
}

struct module *world_module(struct world *w, struct str path)
{
    uintptr_t *known = map_get(&w->modules, path);
    if (known)
        return (struct module *)*known;
    struct str packed, own = copy(w, path);
    struct module *m = NULL;
    if (w->depth < MAX_MODULES_DEEP && w->statements(w->ctx, own, &packed)) {
        m = arena_alloc(&w->arena, sizeof *m);
        m->path = own;
        m->is_package = str_eq(path_base(own), STR("__init__.py"));
        m->scope.module = m;
        name_module(w, m);
        read_statements(w, m, packed);
    } else if (w->depth >= MAX_MODULES_DEEP) {
        return NULL;
    }
    *map_put(&w->modules, own, NULL) = (uintptr_t)m;
    if (m) {
        w->depth++;
        scope_run(w, &m->scope, 0, 0);
        w->depth--;
        for (size_t i = 0; i < m->mutated.n; i++) {
            struct binding *b = scope_get(&m->scope, m->mutated.items[i]);
            if (b)
                b->mutated = true;
        }
        m->ready = true;
    }
    return m;
}

static bool is_owned(struct world *w, struct str path)
{
    const struct strs *third = &w->config->probe.third;
    for (size_t i = 0; i < w->owned->n; i++)
        if (path_under(path, w->owned->items[i]))
            return true;
    for (size_t i = 0; i < third->n; i++)
        if (path_under(path, third->items[i]))
            return false;
    return true;
}

/* What appears in these directories can change where a module is found. */
static void note_looked(struct world *w, struct str dir, struct str dotted)
{
    size_t dot = str_rchr(dotted, '.');
    if (!map_get(&w->looked, dir))
        *map_put(&w->looked, copy(w, dir), NULL) = 1;
    if (dot == dotted.n)
        return;
    struct str sub = world_join(w, dir, "/", str_slice(dotted, 0, dot));
    for (size_t i = dir.n; i < sub.n; i++)
        if (sub.p[i] == '.')
            ((char *)(uintptr_t)sub.p)[i] = '/';
    if (!map_get(&w->looked, sub))
        *map_put(&w->looked, sub, NULL) = 1;
}

/* dir/a/b/__init__.py or dir/a/b.py; "" when there is neither. *ns: a directory of that name is there. */
static struct str find_in(struct world *w, struct str dir, struct str dotted, bool *ns)
{
    struct dir *d = dirs_open(&w->dirs, dir);
    struct str rest = dotted, part = dotted;
    note_looked(w, dir, dotted);
    while (str_next(&rest, '.', &part) && rest.p) {
        if (dir_kind(d, part) != IO_DIR)
            return STR("");
        d = world_dir(w, d->path, part);
    }
    bool folder = dir_kind(d, part) == IO_DIR;
    if (folder && world_dir(w, d->path, part)->package)
        return world_join(w, world_join(w, d->path, "/", part), "/", STR("__init__.py"));
    buf_clear(&w->scratch);
    buf_str(&w->scratch, part);
    buf_z(&w->scratch, ".py");
    if (dir_kind(d, buf_view(&w->scratch)) == IO_FILE)
        return world_join(w, d->path, "/", buf_view(&w->scratch));
    if (folder && ns)
        *ns = true;
    return STR("");
}

static struct str find_absolute(struct world *w, const struct module *from, struct str dotted)
{
    struct str base = from->base;
    buf_clear(&w->scratch);
    buf_str(&w->scratch, base);
    buf_char(&w->scratch, '\n');
    buf_str(&w->scratch, dotted);
    uintptr_t *slot = map_get(&w->found, buf_view(&w->scratch));
    if (slot)
        return *slot ? *(struct str *)*slot : STR("");
    struct str key = copy(w, buf_view(&w->scratch));
    map_put(&w->found, key, NULL);
    bool prepend = !str_eq(w->config->probe.import_mode, STR("importlib"));
    const struct strs *lists[] = {w->roots, &w->config->probe.pythonpath, &w->config->probe.path};
    struct str path = prepend ? find_in(w, base, dotted, NULL) : STR("");
    for (size_t l = prepend ? 0 : 1; l < 3 && !path.n; l++)
        for (size_t i = 0; i < lists[l]->n && !path.n; i++)
            path = find_in(w, lists[l]->items[i], dotted, NULL);
    if (path.n) {
        struct str *kept = arena_alloc(&w->arena, sizeof *kept);
        *kept = path;
        *map_get(&w->found, key) = (uintptr_t)kept;
    }
    return path;
}

static struct str find_relative(struct world *w, const struct module *from, struct str dotted, uint8_t level)
{
    struct str dir = path_dir(from->path);
    for (uint8_t i = 1; i < level; i++)
        dir = path_dir(dir);
    if (dotted.n)
        return find_in(w, dir, dotted, NULL);
    return dirs_open(&w->dirs, dir)->package ? world_join(w, dir, "/", STR("__init__.py")) : STR("");
}

struct str world_locate(struct world *w, const struct module *from, struct str dotted)
{
    return find_absolute(w, from, dotted);
}

struct module *world_import(struct world *w, const struct module *from, struct str dotted, uint8_t level,
                            bool outside)
{
    if (level == 0 && str_eq(dotted, STR("pytest")))
        return NULL;
    struct str path = level ? find_relative(w, from, dotted, level) : find_absolute(w, from, dotted);
    if (!path.n || (!outside && !is_owned(w, path)))
        return NULL;
    return world_module(w, path);
}

/* A directory that is no package: a namespace, of which the next name must be found in some root. */
static int in_namespace(struct world *w, const struct strs *const *lists, struct str dotted)
{
    size_t first = str_chr(dotted, '.');
    if (first == dotted.n)
        return 1;
    size_t second = first + 1 + str_chr(str_slice(dotted, first + 1, dotted.n), '.');
    struct str two = str_slice(dotted, 0, second);
    bool ns = false;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < lists[l]->n; i++)
            if (find_in(w, lists[l]->items[i], two, &ns).n || ns)
                return 1;
    return 0;
}

int world_has(struct world *w, const struct module *from, struct str dotted)
{
    struct str top = str_slice(dotted, 0, str_chr(dotted, '.'));
    uintptr_t *known = map_get(&w->has, dotted);
    if (known)
        return (int)*known - 2;
    bool package = find_absolute(w, from, top).n > 0, ns = false;
    int has = package ? 1 : interp_has_module(&w->config->interp, &w->dirs, top);
    const struct strs *lists[] = {w->roots, &w->config->probe.pythonpath, &w->config->probe.path};
    for (size_t l = 0; !package && l < 3; l++)
        for (size_t i = 0; i < lists[l]->n && !ns; i++)
            find_in(w, lists[l]->items[i], top, &ns);
    if (ns)
        has = in_namespace(w, lists, dotted);
    *map_put(&w->has, copy(w, dotted), NULL) = (uintptr_t)(has + 2);
    return has;
}

void world_release(struct world *w)
{
    for (size_t i = 0; i < w->modules.cap; i++) {
        struct module *m = (struct module *)w->modules.slots[i].value;
        if (!m)
            continue;
        free(m->scope.items);
        map_release(&m->scope.names);
        strs_release(&m->mutated);
    }
    for (size_t i = 0; i < w->n_scopes; i++) {
        free(w->scopes[i]->items);
        map_release(&w->scopes[i]->names);
    }
    free(w->scopes);
    map_release(&w->looked);
    dirs_release(&w->dirs);
    map_release(&w->overrides);
    map_release(&w->modules);
    map_release(&w->found);
    map_release(&w->has);
    map_release(&w->lacking);
    buf_release(&w->scratch);
    buf_release(&w->searched_text);
    arena_release(&w->arena);
}

struct scope *world_class_scope(struct world *w, struct binding *class)
{
    if (class->body)
        return class->body;
    struct scope *s = class->body = arena_alloc(&w->arena, sizeof *s);
    struct module *m = class->scope->module;
    *s = (struct scope){.module = m, .outer = class->scope, .owner = class};
    w->scopes = xgrow(w->scopes, &w->cap_scopes, w->n_scopes + 1, sizeof *w->scopes);
    w->scopes[w->n_scopes++] = s;
    scope_run(w, s, class->stmt + 1, (uint8_t)(m->stmts[class->stmt].depth + 1));
    return s;
}
