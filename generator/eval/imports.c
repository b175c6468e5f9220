#include "generator/eval/imports.h"

#include "runtime/base/io.h"

#include <string.h>

enum { MAX_SEARCHED = 1 << 20, FIRST_SEARCHED = 8 << 10 }; /* bytes; __all__ is at the beginning */

/* With one of these a package can have submodules that its directory does not hold; and, with any of them, a
 * module names that its text does not bind. */
enum { MODULE_MAKERS = 3 };
static const char *const makers[] = {"sys.modules", "__path__", "meta_path", "import *", "__getattr__", "globals(", "locals(",
                                     "vars(", "setattr(", "exec(", "__dict__", "_convert", "attach("};

static bool is_word_byte(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (unsigned char)c >= 0x80;
}

static bool has_word(struct str text, struct str word)
{
    const char *p = text.p, *end = text.p + text.n;
    while (word.n && p < end && (p = memmem(p, (size_t)(end - p), word.p, word.n))) {
        bool starts = p == text.p || !is_word_byte(p[-1]), ends = p + word.n == end || !is_word_byte(p[word.n]);
        if (starts && ends)
            return true;
        p++;
    }
    return false;
}

static bool has_maker(struct str text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_contains(text, str_z(makers[i])))
            return true;
    return false;
}

bool imports_text_has(struct str path, struct str word)
{
    struct buf z = {0}, text = {0};
    buf_str(&z, path);
    bool has = io_read(z.p, MAX_SEARCHED, &text, NULL) && text.n && has_word(buf_view(&text), word);
    buf_release(&z);
    buf_release(&text);
    return has;
}

/* The text of the file, or its beginning: several names are often looked for in one, one after the other. False when
 * it cannot be read. */
static bool read_text(struct world *w, struct str path, bool whole, struct str *text)
{
    if (!str_eq(path, w->searched) || (whole && !w->searched_whole)) {
        struct buf z = {0};
        buf_str(&z, path);
        buf_clear(&w->searched_text);
        bool read = whole ? io_read(z.p, MAX_SEARCHED, &w->searched_text, NULL)
                          : io_read_start(z.p, FIRST_SEARCHED, &w->searched_text);
        w->searched = read ? world_join(w, path, "", STR("")) : STR("");
        w->searched_whole = whole;
        buf_release(&z);
        if (!read)
            return false;
    }
    *text = w->searched_text.n ? buf_view(&w->searched_text) : STR("");
    while (!whole && text->n && is_word_byte(text->p[text->n - 1])) /* it may go on */
        text->n--;
    return true;
}

/* Does the text of that file show neither the word nor one of the makers? */
static bool text_lacks(struct world *w, struct str path, struct str word, size_t n_makers)
{
    struct str text;
    if (word.n && read_text(w, path, false, &text) && has_word(text, word))
        return false;
    return read_text(w, path, true, &text) && !(word.n && has_word(text, word)) && !has_maker(text, n_makers);
}

/* Is there anything that an import of that name in this directory could find? */
static bool has_entry(struct world *w, struct str dir, struct str name)
{
    const struct dir *d = dirs_open(&w->dirs, dir);
    return d->hidden || interp_holds_module(d, name);
}

static bool is_package(struct str path)
{
    return str_eq(path_base(path), STR("__init__.py"));
}

/* Is there a submodule below the package whose __init__.py is at path? 1, 0 or -1. */
static int has_below(struct world *w, struct str path, struct str dotted)
{
    struct str rest = dotted, part;
    while (rest.p && str_next(&rest, '.', &part)) {
        if (!is_package(path))
            return -1;
        struct str dir = path_dir(path);
        if (!has_entry(w, dir, part))
            return text_lacks(w, path, STR(""), MODULE_MAKERS) ? 0 : -1;
        struct dir *sub = dir_kind(dirs_open(&w->dirs, dir), part) == IO_DIR ? world_dir(w, dir, part) : NULL;
        if (!sub || !sub->package)
            return rest.p ? -1 : 1;
        path = world_join(w, sub->path, "/", STR("__init__.py"));
    }
    return 1;
}

/* The first package of a relative import: what its dots lead to. */
static struct str relative_base(struct world *w, const struct module *from, uint8_t level)
{
    struct str dir = path_dir(from->path);
    for (uint8_t i = 1; i < level; i++)
        dir = path_dir(dir);
    return dirs_open(&w->dirs, dir)->package ? world_join(w, dir, "/", STR("__init__.py")) : STR("");
}

int imports_has_module(struct world *w, const struct module *from, struct str dotted, uint8_t level)
{
    size_t dot = str_chr(dotted, '.');
    if (!dotted.n || (level == 0 && dot == dotted.n))
        return 1;
    struct str base = level ? relative_base(w, from, level) : world_locate(w, from, str_slice(dotted, 0, dot));
    return base.n ? has_below(w, base, level ? dotted : str_slice(dotted, dot + 1, dotted.n)) : -1;
}

static bool scope_lacks(struct world *w, const struct module *m, struct str name)
{
    if (!m->ready || m->scope.doubt || m->error_line || m->import_fails || m->skipped)
        return false;
    if (scope_get(&m->scope, name) || scope_get(&m->scope, STR("__getattr__")) || strs_has(&m->mutated, name))
        return false;
    return !m->is_package || (!has_entry(w, path_dir(m->path), name) && text_lacks(w, m->path, STR(""), sizeof makers / sizeof *makers));
}

static bool is_dunder(struct str name)
{
    return str_starts(name, STR("__")) && str_ends(name, STR("__"));
}

bool imports_lack_name(struct world *w, const struct module *from, struct str dotted, uint8_t level, struct str name)
{
    if (is_dunder(name))
        return false;
    struct module *m = world_import(w, from, dotted, level, false);
    if (m)
        return scope_lacks(w, m, name);
    struct str path = level || w->depth > 1 ? STR("") : world_locate(w, from, dotted);
    if (!path.n || (is_package(path) && has_entry(w, path_dir(path), name)))
        return false;
    bool added;
    struct str key = world_join(w, path, "\n", name);
    uintptr_t *known = map_put(&w->lacking, key, &added);
    if (added)
        *known = text_lacks(w, path, name, sizeof makers / sizeof *makers);
    return *known;
}
