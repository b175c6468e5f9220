#include "generator/files/tree.h"

enum { MAX_DIRS = 100000 };

bool tree_is_venv(struct dirs *d, const struct dir *dir)
{
    if (dir_kind(dir, STR("pyvenv.cfg")) == IO_FILE)
        return true;
    if (dir_kind(dir, STR("conda-meta")) != IO_DIR)
        return false;
    struct dir *meta = dirs_open(d, dirs_join(d, dir->path, STR("conda-meta")));
    return dir_kind(meta, STR("history")) == IO_FILE;
}

static bool is_left_out(struct str name)
{
    return name.n == 0 || name.p[0] == '.' || str_eq(name, STR("__pycache__")) ||
           str_eq(name, STR("node_modules"));
}

/* Directories in breadth-first order: out grows while it is read. */
void tree_directories(struct dirs *d, struct str top, struct strs *out)
{
    size_t i = out->n;
    strs_add(out, dirs_open(d, top)->path);
    for (; i < out->n && out->n < MAX_DIRS; i++) {
        struct dir *dir = dirs_open(d, out->items[i]);
        for (size_t k = 0; k < dir->list.n; k++) {
            struct str name = str_z(dir->list.items[k].name);
            if (dir->list.items[k].kind != IO_DIR || is_left_out(name))
                continue;
            struct dir *sub = dirs_open(d, dirs_join(d, dir->path, name));
            if (!sub->third && !tree_is_venv(d, sub))
                strs_add(out, sub->path);
        }
    }
}

static void add_files(struct dirs *d, struct str top, struct str suffix, struct strs *out)
{
    struct strs dirs = {0};
    tree_directories(d, top, &dirs);
    for (size_t i = 0; i < dirs.n; i++) {
        struct dir *dir = dirs_open(d, dirs.items[i]);
        for (size_t k = 0; k < dir->list.n; k++) {
            struct str name = str_z(dir->list.items[k].name);
            if (str_ends(name, suffix) && dir_kind(dir, name) == IO_FILE)
                strs_add(out, dirs_join(d, dir->path, name));
        }
    }
    strs_release(&dirs);
}

void tree_python_files(struct dirs *d, struct str top, struct strs *out)
{
    add_files(d, top, STR(".py"), out);
}

void tree_files(struct dirs *d, struct str top, struct strs *out)
{
    add_files(d, top, STR(""), out);
}
