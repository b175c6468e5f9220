#include "generator/eval/scope_run.h"

#include "generator/eval/imports.h"
#include "generator/source/split.h"

#include <string.h>

void runner_doubt(struct runner *x, const char *why)
{
    if (!x->s->doubt)
        x->s->doubt = why;
}

struct binding *runner_bind(struct runner *x, struct str name, enum binding_kind kind)
{
    return scope_bind(x->w, x->s, name, kind, x->maybe);
}

static void take_star(struct runner *x, struct str dotted, uint8_t level)
{
    struct module *m = world_import(x->w, x->s->module, dotted, level, true);
    if (!m || !m->ready || m->scope.doubt) {
        runner_doubt(x, "a star import from a module that cannot be followed");
        return;
    }
    struct binding *all = scope_get(&m->scope, STR("__all__"));
    struct value names = {0};
    if (all) {
        names = binding_value(x->w, all);
        if (names.kind != VALUE_LIST && names.kind != VALUE_TUPLE)
            all = NULL; /* take every name: more than there are, so only perhaps */
    }
    bool unsure = !all && scope_get(&m->scope, STR("__all__"));
    for (size_t i = 0; i < m->scope.n; i++) {
        struct binding *b = m->scope.items[i];
        bool taken = b->name.p[0] != '_';
        for (uint32_t k = 0; all && k < names.n_items; k++)
            if ((taken = str_eq(names.items[k].text, b->name)))
                break;
        if (b->deleted || !taken || (all && !names.n_items))
            continue;
        bool maybe = x->maybe;
        x->maybe = maybe || b->maybe || unsure;
        struct binding *mine = runner_bind(x, b->name, BIND_FROM);
        x->maybe = maybe;
        mine->text = dotted;
        mine->level = level;
        mine->from_name = b->name;
    }
}

/* The interpreter imports it here: what fails in it fails here, and what is skipped in it skips this module. */
static void note_module(struct runner *x, struct module *m)
{
    if (!m)
        return;
    if (m->import_fails || m->error_line)
        x->import_fails = true;
    else if (m->skipped)
        x->skipped = m;
    else if (m->may_skip)
        x->may_skip = true;
}

/* a.b.c: a, a.b and a.b.c are imported in turn. */
static void note_import(struct runner *x, struct str dotted, uint8_t level)
{
    struct world *w = x->w;
    struct module *from = x->s->module;
    if (x->maybe)
        return;
    if (level == 0 && world_has(w, from, dotted) == 0) {
        x->import_fails = true;
        return;
    }
    for (size_t n = str_chr(dotted, '.');; n += 1 + str_chr(str_slice(dotted, n + 1, dotted.n), '.')) {
        note_module(x, world_import(w, from, str_slice(dotted, 0, n), level, false));
        if (n >= dotted.n)
            break;
    }
    x->import_fails = x->import_fails || imports_has_module(w, from, dotted, level) == 0;
}

/* from a import b: b is a's, or a module. */
static void note_name(struct runner *x, struct str dotted, uint8_t level, struct str name)
{
    struct world *w = x->w;
    struct module *from = x->s->module, *m;
    if (x->maybe || x->import_fails || str_eq(dotted, STR("pytest")))
        return;
    if (imports_lack_name(w, from, dotted, level, name)) {
        x->import_fails = true;
        return;
    }
    m = world_import(w, from, dotted, level, false);
    if (m && m->is_package && !scope_get(&m->scope, name))
        note_module(x, world_import(w, m, name, 1, false));
}

void runner_import(struct runner *x, struct str text)
{
    struct str rest = str_slice(text, 6, text.n), part;
    while (split_next(&rest, &part)) {
        size_t blank = 0;
        while (blank < part.n && !strchr(" \t\\\n", part.p[blank]))
            blank++;
        struct str dotted = str_slice(part, 0, blank), tail = str_trim(str_slice(part, blank, part.n));
        while (tail.n && *tail.p == '\\')
            tail = str_trim(str_slice(tail, 1, tail.n));
        note_import(x, dotted, 0);
        if (str_starts(tail, STR("as"))) {
            struct binding *b = runner_bind(x, str_trim(str_slice(tail, 2, tail.n)), BIND_MODULE);
            b->text = dotted;
        } else {
            struct str top = str_slice(dotted, 0, str_chr(dotted, '.'));
            runner_bind(x, top, BIND_MODULE)->text = top;
        }
    }
}

/* The name that a part "name" or "name as alias" binds. */
static void take_name(struct runner *x, struct str part, struct str dotted, uint8_t level)
{
    struct str rest = part, name = STR(""), as = STR(""), alias = STR("");
    bool dot;
    split_word(&rest, &name, &dot);
    if (split_word(&rest, &as, &dot) && str_eq(as, STR("as")))
        split_word(&rest, &alias, &dot);
    if (!name.n)
        return;
    note_name(x, dotted, level, name);
    struct binding *b = runner_bind(x, alias.n ? alias : name, BIND_FROM);
    b->text = dotted;
    b->level = level;
    b->from_name = name;
}

void runner_from(struct runner *x, struct str text)
{
    struct str rest = str_trim(str_slice(text, 4, text.n));
    uint8_t level = 0;
    while (rest.n && (*rest.p == '.' || strchr(" \t\\\n", *rest.p))) {
        level += *rest.p == '.' && level < 200;
        rest = str_slice(rest, 1, rest.n);
    }
    struct str dotted = {rest.p, 0}, word, part;
    while (dotted.n < rest.n && !strchr(" \t\\\n(", rest.p[dotted.n]))
        dotted.n++;
    if (level && str_eq(dotted, STR("import")))
        dotted.n = 0;
    rest = str_slice(rest, dotted.n, rest.n);
    bool dot;
    if (!split_word(&rest, &word, &dot) || !str_eq(word, STR("import"))) {
        runner_doubt(x, "an import that cannot be read");
        return;
    }
    rest = str_trim(rest);
    while (rest.n && *rest.p == '\\')
        rest = str_trim(str_slice(rest, 1, rest.n));
    note_import(x, dotted, level);
    if (rest.n && *rest.p == '(')
        rest = str_slice(rest, 1, rest.n - 1);
    if (str_eq(str_trim(rest), STR("*"))) {
        take_star(x, dotted, level);
        return;
    }
    while (split_next(&rest, &part))
        take_name(x, part, dotted, level);
}

