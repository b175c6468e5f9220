#include "generator/graph/resolve.h"

#include "generator/files/pyname.h"
#include "generator/files/tree.h"

#include <stdlib.h>
#include <string.h>

/* Where a dotted name may be: files it loads itself, and directories to look further in. */
struct place {
    uint32_t *files;
    struct dir **dirs;
    size_t n_files, cap_files, n_dirs, cap_dirs;
};

void resolver_root(struct resolver *r, struct str dir)
{
    bool added;
    struct str copy = {arena_dup(&r->arena, dir.p, dir.n), dir.n};
    map_put(&r->root_set, copy, &added);
    if (added)
        strs_add(&r->roots, copy);
}

struct str resolver_basedir(struct resolver *r, struct str dir)
{
    while (dir.n > 1 && dirs_open(r->dirs, dir)->package)
        dir = path_dir(dir);
    return dir;
}

/* A file of a package loads the __init__ of every package above it. */
static void link_packages(struct resolver *r, uint32_t node)
{
    struct str dir = path_dir(r->graph->nodes[node].path);
    while (dir.n > 1) {
        struct dir *d = dirs_open(r->dirs, dir);
        if (!d->package)
            return;
        graph_edge(r->graph, node, resolver_add(r, dirs_join(r->dirs, d->path, STR("__init__.py"))));
        dir = path_dir(dir);
    }
}

uint32_t resolver_add(struct resolver *r, struct str path)
{
    bool added;
    uint32_t id = graph_node(r->graph, path, &added);
    if (!added)
        return id;
    r->queue = xgrow(r->queue, &r->cap_queue, r->n_queue + 1, sizeof *r->queue);
    r->queue[r->n_queue++] = id;
    struct node *n = &r->graph->nodes[id];
    n->file = source_check(r->sources, path, n->python);
    r->flags |= n->file->facts.flags;
    return id;
}

static void place_file(struct resolver *r, struct place *p, struct dir *dir, struct str name)
{
    struct str path = dirs_join(r->dirs, dir->path, name);
    if (dir->third && dirs_is_third(r->dirs, path))
        return;
    p->files = xgrow(p->files, &p->cap_files, p->n_files + 1, sizeof *p->files);
    p->files[p->n_files++] = resolver_add(r, path);
}

static void place_dir(struct place *p, struct dir *dir)
{
    p->dirs = xgrow(p->dirs, &p->cap_dirs, p->n_dirs + 1, sizeof *p->dirs);
    p->dirs[p->n_dirs++] = dir;
}

/* name.so, name.cpython-311-x86_64-linux-gnu.so, name.abi3.so, name.pyd */
static bool place_extensions(struct resolver *r, struct place *p, struct dir *dir, struct str stem)
{
    bool found = false;
    for (size_t i = dir_lower(dir, stem); i < dir->list.n; i++) {
        struct str name = str_z(dir->list.items[i].name);
        if (!str_starts(name, stem))
            break;
        if (name.n > stem.n && name.p[stem.n] == '.' &&
            (str_ends(name, STR(".so")) || str_ends(name, STR(".pyd")))) {
            place_file(r, p, dir, name);
            found = true;
        }
    }
    return found;
}

/* Adds what `name` may be in dir. False when there is nothing. */
static bool look_in(struct resolver *r, struct place *p, struct dir *dir, struct str name)
{
    char buf[512];
    if (dir->list.n == 0 || name.n == 0 || name.n > sizeof buf - 8)
        return false;
    struct dir *sub = NULL;
    if (dir_kind(dir, name) == IO_DIR) {
        sub = dirs_open(r->dirs, dirs_join(r->dirs, dir->path, name));
        bool package = place_extensions(r, p, sub, STR("__init__"));
        if (sub->package)
            place_file(r, p, sub, STR("__init__.py"));
        if (sub->package || package) {
            place_dir(p, sub);
            return true;
        }
    }
    bool found = place_extensions(r, p, dir, name);
    memcpy(buf, name.p, name.n);
    memcpy(buf + name.n, ".pyc", 5);
    struct str source = {buf, name.n + 3}, compiled = {buf, name.n + 4};
    if (dir_kind(dir, source) == IO_FILE) {
        place_file(r, p, dir, source);
        found = true;
    } else if (dir_kind(dir, compiled) == IO_FILE) {
        place_file(r, p, dir, compiled);
        found = true;
    }
    if (!found && sub) {
        place_dir(p, sub);
        return true;
    }
    return found;
}

static void look_editable(struct resolver *r, struct place *p, struct str name)
{
    uintptr_t *target = map_get(&r->editable, name);
    if (!target)
        return;
    struct str path = *(struct str *)*target;
    struct dir *dir = dirs_open(r->dirs, path_dir(path));
    if (str_ends(path, STR(".py")))
        place_file(r, p, dir, path_base(path));
    else
        look_in(r, p, dir, path_base(path));
}

/* In a site directory only what is under test counts. */
static bool may_hold(struct resolver *r, struct dir *dir, struct str name)
{
    if (!dir->third)
        return true;
    for (size_t i = 0; i < r->dirs->owned.n; i++) {
        struct str owned = r->dirs->owned.items[i], base = path_base(owned);
        if (str_eq(path_dir(owned), dir->path) &&
            (str_eq(base, name) || (str_ends(base, STR(".py")) && base.n == name.n + 3 &&
                                    str_starts(base, name))))
            return true;
    }
    return false;
}

static struct place *find(struct resolver *r, struct str dotted)
{
    uintptr_t *known = map_get(&r->memo, dotted);
    if (known)
        return (struct place *)*known;
    struct place *p = arena_alloc(&r->arena, sizeof *p);
    size_t dot = str_rchr(dotted, '.');
    if (dot == dotted.n) {
        for (size_t i = 0; i < r->roots.n; i++) {
            struct dir *dir = dirs_open(r->dirs, r->roots.items[i]);
            if (may_hold(r, dir, dotted))
                look_in(r, p, dir, dotted);
        }
        look_editable(r, p, dotted);
    } else {
        struct place *up = find(r, str_slice(dotted, 0, dot));
        struct str name = str_slice(dotted, dot + 1, dotted.n);
        for (size_t i = 0; i < up->n_dirs; i++)
            look_in(r, p, up->dirs[i], name);
        look_editable(r, p, dotted);
    }
    struct str key = {arena_dup(&r->arena, dotted.p, dotted.n), dotted.n};
    *map_put(&r->memo, key, NULL) = (uintptr_t)p;
    return p;
}

static bool is_found(const struct place *p)
{
    return p->n_files || p->n_dirs;
}

static void link_place(struct resolver *r, uint32_t node, const struct place *p)
{
    for (size_t i = 0; i < p->n_files; i++)
        graph_edge(r->graph, node, p->files[i]);
}

static void note_unresolved(struct resolver *r, uint32_t node, struct str name)
{
    r->unresolved = xgrow(r->unresolved, &r->cap_unresolved, r->n_unresolved + 1,
                          sizeof *r->unresolved);
    r->unresolved[r->n_unresolved++] = (struct unresolved){node, name};
}

/* Every prefix of dotted that is found; true when all of it is. */
static bool link_name(struct resolver *r, uint32_t node, struct str dotted)
{
    enum { MAX_PARTS = 64 };
    size_t parts = 0;
    for (size_t i = 0; i <= dotted.n; i++) {
        if (i < dotted.n && dotted.p[i] != '.')
            continue;
        struct place *p = find(r, str_slice(dotted, 0, i));
        if (!is_found(p) || ++parts > MAX_PARTS)
            return false;
        link_place(r, node, p);
    }
    return true;
}

void resolver_name(struct resolver *r, uint32_t node, struct str name)
{
    if (!link_name(r, node, name))
        note_unresolved(r, node, name);
}

/* The directory that `level` dots mean for a file. */
static struct str relative_base(struct str path, uint8_t level)
{
    struct str dir = path_dir(path);
    for (uint8_t i = 1; i < level; i++)
        dir = path_dir(dir);
    return dir;
}

/* The dotted name of a package directory, as found from its base directory; "" when it is none. */
static struct str package_name(struct resolver *r, struct str dir)
{
    struct str base = resolver_basedir(r, dir);
    if (base.n >= dir.n)
        return STR("");
    char *p = arena_dup(&r->arena, dir.p + base.n + 1, dir.n - base.n - 1);
    for (char *q = p; *q; q++)
        if (*q == '/')
            *q = '.';
    return str_z(p);
}

static struct str dotted_join(struct resolver *r, struct str a, struct str b)
{
    if (!a.n || !b.n)
        return a.n ? a : b;
    char *p = arena_alloc(&r->arena, a.n + b.n + 2);
    memcpy(p, a.p, a.n);
    p[a.n] = '.';
    memcpy(p + a.n + 1, b.p, b.n);
    return (struct str){p, a.n + b.n + 1};
}

/* Follows dotted below dir, adding edges; false at the first part that is not there. */
static bool link_below(struct resolver *r, uint32_t node, struct str dir, struct str dotted)
{
    struct place at = {0};
    place_dir(&at, dirs_open(r->dirs, dir));
    struct str rest = dotted, part;
    bool found = true;
    while (dotted.n && found && str_next(&rest, '.', &part)) {
        struct place next = {0};
        for (size_t i = 0; i < at.n_dirs; i++)
            look_in(r, &next, at.dirs[i], part);
        found = is_found(&next);
        link_place(r, node, &next);
        free(at.files);
        free(at.dirs);
        at = next;
    }
    free(at.files);
    free(at.dirs);
    return found;
}

static void link_relative(struct resolver *r, uint32_t node, struct str dir, struct str dotted)
{
    bool found = link_below(r, node, dir, dotted);
    struct str package = found ? STR("") : package_name(r, dir);
    if (package.n) /* __path__ may name more directories: look in all that have its name */
        link_name(r, node, dotted_join(r, package, dotted));
}

static void link_from(struct resolver *r, uint32_t node, const struct import *im)
{
    bool named = im->name.n && im->name.p[0] != '*';
    if (im->level == 0) {
        if (!link_name(r, node, im->module))
            note_unresolved(r, node, im->module);
        else if (named)
            link_name(r, node, dotted_join(r, im->module, im->name));
        return;
    }
    struct str dir = relative_base(r->graph->nodes[node].path, im->level);
    struct dir *d = dirs_open(r->dirs, dir);
    if (d->package && !d->third)
        graph_edge(r->graph, node, resolver_add(r, dirs_join(r->dirs, d->path, STR("__init__.py"))));
    if (im->module.n)
        link_relative(r, node, dir, im->module);
    if (named)
        link_relative(r, node, dir, dotted_join(r, im->module, im->name));
}

/* python -m word: the package's __main__ as well. */
static void link_word(struct resolver *r, uint32_t node, struct str word)
{
    if (link_name(r, node, word))
        link_name(r, node, dotted_join(r, word, STR("__main__")));
}

static void link_import(struct resolver *r, uint32_t node, const struct import *im)
{
    switch ((enum import_kind)im->kind) {
    case IMPORT_NAME:
        resolver_name(r, node, im->module);
        break;
    case IMPORT_FROM:
        link_from(r, node, im);
        break;
    case IMPORT_STRING:
        if (link_name(r, node, im->module) && r->graph->nodes[node].file->facts.flags & FACT_SPAWN)
            link_name(r, node, dotted_join(r, im->module, STR("__main__")));
        break;
    case IMPORT_WORD:
        link_word(r, node, im->module);
        break;
    case IMPORT_ALL:
        if (str_eq(path_base(r->graph->nodes[node].path), STR("__init__.py")))
            link_below(r, node, path_dir(r->graph->nodes[node].path), im->module);
        break;
    }
}

/* What computes names may load any part of its package; tests are left out, the worker's trace of
 * imports (a record's deps) names the ones that really were. */
static void link_package(struct resolver *r, uint32_t node)
{
    struct str dir = path_dir(r->graph->nodes[node].path);
    if (!dirs_open(r->dirs, dir)->package)
        return;
    struct strs files = {0};
    tree_python_files(r->dirs, dir, &files);
    for (size_t i = 0; i < files.n; i++) {
        uintptr_t *known = map_get(&r->graph->by_path, files.items[i]);
        struct str base = path_base(files.items[i]);
        bool test = str_eq(base, STR("conftest.py")) || str_starts(base, STR("test_")) ||
                    str_ends(base, STR("_test.py")) || (known && r->graph->nodes[*known].planned);
        if (!test)
            graph_edge(r->graph, node, resolver_add(r, files.items[i]));
    }
    strs_release(&files);
}

static void resolve_node(struct resolver *r, uint32_t node)
{
    struct facts facts = r->graph->nodes[node].file->facts;
    struct unpack u = {(const unsigned char *)facts.imports.p, facts.imports.n, false};
    struct import im;
    if (r->graph->nodes[node].python)
        link_packages(r, node);
    while (facts_next(&u, &im))
        link_import(r, node, &im);
    if (facts.flags & FACT_DYNAMIC)
        link_package(r, node);
}

static void drain(struct resolver *r)
{
    while (r->n_queue)
        resolve_node(r, r->queue[--r->n_queue]);
}

/* sys.path is changed somewhere: an unresolved top-level name may be in any directory of ours. */
static void search_everywhere(struct resolver *r)
{
    struct strs dirs = {0};
    tree_directories(r->dirs, r->root, &dirs);
    for (size_t done = 0; done < r->n_unresolved; done++) {
        struct unresolved u = r->unresolved[done];
        struct str top = str_slice(u.name, 0, str_chr(u.name, '.'));
        struct str rest = str_slice(u.name, top.n + 1, u.name.n);
        for (size_t i = 0; i < dirs.n; i++) {
            struct place p = {0};
            if (look_in(r, &p, dirs_open(r->dirs, dirs.items[i]), top)) {
                link_place(r, u.node, &p);
                for (size_t k = 0; rest.n && k < p.n_dirs; k++)
                    link_below(r, u.node, p.dirs[k]->path, rest);
            }
            free(p.files);
            free(p.dirs);
        }
        drain(r);
    }
    strs_release(&dirs);
}

void resolver_run(struct resolver *r)
{
    drain(r);
    if (r->flags & FACT_SYS_PATH && r->n_unresolved)
        search_everywhere(r);
}

void resolver_release(struct resolver *r)
{
    for (size_t i = 0; i < r->memo.cap; i++) {
        struct place *p = (struct place *)r->memo.slots[i].value;
        if (!p)
            continue;
        free(p->files);
        free(p->dirs);
    }
    map_release(&r->memo);
    map_release(&r->root_set);
    map_release(&r->editable);
    strs_release(&r->roots);
    free(r->queue);
    free(r->unresolved);
    arena_release(&r->arena);
}
