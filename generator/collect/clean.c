#include "generator/collect/clean.h"

#include "generator/eval/classes.h"
#include "generator/source/split.h"

#include <string.h>

/* Loaded when pytest (7.0 to 9.2, on CPython 3.8 to 3.14) collects the first test module: importing them again
 * runs nothing. tests/system/test_skips.py asks every pytest here. */
static const char *const loaded[] = {
    "abc", "argparse", "ast", "atexit", "bisect", "builtins", "codecs", "collections", "collections.abc", "contextlib",
    "copy", "datetime", "enum", "errno", "fnmatch", "functools", "gc", "glob", "importlib", "importlib.util", "inspect",
    "io", "itertools", "json", "linecache", "locale", "logging", "math", "operator", "os", "os.path", "pathlib",
    "platform", "pprint", "pytest", "re", "shlex", "shutil", "signal", "stat", "string", "struct", "subprocess", "sys",
    "tempfile", "textwrap", "threading", "time", "tokenize", "traceback", "types", "typing", "uuid", "warnings",
    "weakref"};

static const char *const marks[] = {"skip", "skipif", "parametrize", "xfail", "usefixtures", "filterwarnings"};

/* Methods that other statements of the module may call. */
static const char *const called[] = {"__init__", "__new__", "__init_subclass__", "__set_name__", "__class_getitem__"};

struct walk {
    struct world *w;
    struct module *m;
    struct strs seen;  /* names that are bound so far */
    bool clean, skipped;
    bool lazy;         /* annotations are not evaluated: from __future__ import annotations */
    bool marked, fixture; /* by the decorators before a definition */
};

static bool is_one_of(struct str s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, str_z(list[i])))
            return true;
    return false;
}
#define IS_ONE_OF(s, list) is_one_of((s), (list), sizeof(list) / sizeof *(list))

/* ---- values ---- */

static bool is_scalar(const struct value *v)
{
    return v->kind >= VALUE_NONE && v->kind <= VALUE_BYTES;
}

static bool is_known(const struct value *v)
{
    if (is_scalar(v) || v->kind == VALUE_NAMED)
        return true;
    if (v->kind == VALUE_MARK)
        return clean_mark(v);
    if (v->kind != VALUE_TUPLE && v->kind != VALUE_LIST && v->kind != VALUE_SET && v->kind != VALUE_DICT &&
        v->kind != VALUE_PARAM)
        return false;
    if (v->called) /* pytest 9.1 warns of iterators */
        return false;
    for (uint32_t i = 0; i < v->n_items; i++) {
        bool hashed = v->kind == VALUE_SET || (v->kind == VALUE_DICT && i % 2 == 0);
        if (!is_known(&v->items[i]) || (hashed && !is_scalar(&v->items[i])))
            return false;
    }
    for (uint32_t i = 0; i < v->n_keywords; i++)
        if (!v->keywords[i].name.n || !is_known(&v->keywords[i].value))
            return false;
    return true;
}

bool clean_mark(const struct value *mark)
{
    struct value arguments = *mark;
    arguments.kind = VALUE_TUPLE;
    arguments.called = false;
    bool idle = str_eq(mark->text, STR("usefixtures")) && !mark->n_items; /* which pytest warns of */
    return mark->kind == VALUE_MARK && !idle && IS_ONE_OF(mark->text, marks) && is_known(&arguments);
}

/* Every name of the module that it uses is bound by now. */
static bool uses_bound_names(const struct walk *x, const struct scope *s, struct str text)
{
    struct str rest = text, word;
    bool dotted;
    while (split_word(&rest, &word, &dotted))
        if (!dotted && (scope_get(&x->m->scope, word) || scope_get(s, word)) && !strs_has(&x->seen, word))
            return false;
    return true;
}

static struct value evaluate(struct walk *x, struct scope *s, struct str text, uint32_t line)
{
    x->w->line = line;
    return uses_bound_names(x, s, text) ? scope_eval(x->w, s, text) : (struct value){0};
}

static bool knows(struct walk *x, struct scope *s, struct str text, uint32_t line)
{
    struct value v = evaluate(x, s, text, line);
    return is_known(&v);
}

/* ---- imports ---- */

static bool is_plain_name(struct str s)
{
    struct str rest = s, word;
    bool dotted;
    return split_word(&rest, &word, &dotted) && word.p == s.p && word.n == s.n;
}

/* "name" or "name as alias": what it binds. */
static bool read_name(struct str part, struct str *name, struct str *bound)
{
    size_t blank = str_chr(part, ' ');
    struct str tail = str_trim(str_slice(part, blank, part.n));
    *name = str_slice(part, 0, blank);
    *bound = *name;
    if (!tail.n)
        return true;
    *bound = str_trim(str_slice(tail, 2, tail.n));
    return str_starts(tail, STR("as ")) && is_plain_name(*bound);
}

static bool import_modules(struct walk *x, struct str text)
{
    struct str rest = str_slice(text, 7, text.n), part, name, bound;
    while (split_next(&rest, &part)) {
        if (!read_name(part, &name, &bound) || !IS_ONE_OF(name, loaded))
            return false;
        strs_add(&x->seen, bound.p == name.p ? str_slice(name, 0, str_chr(name, '.')) : bound);
    }
    return rest.n == 0;
}

/* A name that the module's source certainly binds. */
static bool has_name(struct walk *x, struct str dotted, struct str name)
{
    struct str path = world_locate(x->w, x->m, dotted);
    struct module *m = path.n ? world_module(x->w, path) : NULL;
    struct binding *b = m && m->ready ? scope_get(&m->scope, name) : NULL;
    const struct strs *third = &x->w->config->probe.third;
    bool outside = false;
    for (size_t i = 0; b && i < third->n; i++)
        outside = outside || path_under(m->path, third->items[i]);
    return b && outside && !b->maybe;
}

static bool import_names(struct walk *x, struct str text)
{
    struct str rest = str_slice(text, 5, text.n), part, name, bound;
    size_t blank = str_chr(rest, ' ');
    struct str dotted = str_slice(rest, 0, blank);
    rest = str_trim(str_slice(rest, blank, rest.n));
    if (!str_starts(rest, STR("import ")))
        return false;
    rest = str_trim(str_slice(rest, 7, rest.n));
    bool future = str_eq(dotted, STR("__future__"));
    if (!future && !IS_ONE_OF(dotted, loaded))
        return false;
    if (rest.n && *rest.p == '(')
        rest = str_slice(rest, 1, rest.n - 1);
    while (split_next(&rest, &part)) {
        if (!read_name(part, &name, &bound) || (!future && !has_name(x, dotted, name)) ||
            str_starts(bound, STR("Test")) || str_starts(bound, STR("test")) || str_starts(bound, STR("pytest_")))
            return false;
        strs_add(&x->seen, bound);
        x->lazy = x->lazy || (future && str_eq(name, STR("annotations")));
    }
    return rest.n == 0;
}

/* ---- definitions ---- */

static bool knows_parameter(struct walk *x, struct scope *s, struct str part, uint32_t line)
{
    while (part.n && *part.p == '*')
        part = str_trim(str_slice(part, 1, part.n));
    if (!part.n || str_eq(part, STR("/")))
        return true;
    size_t eq = split_find(part, '='), colon = split_find(part, ':');
    if (eq > part.n || colon > part.n)
        return false;
    struct str standard = str_trim(str_slice(part, eq + 1, part.n));
    struct str annotation = colon < eq ? str_trim(str_slice(part, colon + 1, eq)) : STR("");
    return (!standard.n || knows(x, s, standard, line)) && (!annotation.n || x->lazy || knows(x, s, annotation, line));
}

/* "def name(parameters) -> annotation": defaults and annotations are evaluated when it is defined. */
static bool knows_header(struct walk *x, struct scope *s, struct str header, uint32_t line)
{
    size_t open = str_chr(header, '(');
    if (open == header.n || str_contains(str_slice(header, 0, open), STR("[")))
        return false;
    struct str rest = str_slice(header, open + 1, header.n), part;
    size_t close = split_find(rest, ')');
    if (close >= rest.n)
        return false;
    struct str tail = str_trim(str_slice(rest, close + 1, rest.n));
    rest = str_slice(rest, 0, close);
    while (split_next(&rest, &part))
        if (!knows_parameter(x, s, part, line))
            return false;
    if (rest.n)
        return false;
    return !tail.n || (str_starts(tail, STR("->")) &&
                       (x->lazy || knows(x, s, str_trim(str_slice(tail, 2, tail.n)), line)));
}

/* pytest.fixture's arguments: a scope that it does not know raises. */
static bool knows_fixture(struct walk *x, struct scope *s, struct str args)
{
    struct value v = uses_bound_names(x, s, args) ? scope_arguments(x->w, s, args) : (struct value){0};
    static const char *const scopes[] = {"function", "class", "module", "package", "session"};
    const struct value *scope = value_keyword(&v, STR("scope"));
    bool known = v.kind == VALUE_TUPLE && v.n_items == 0 && is_known(&v);
    return known && (!scope || (scope->kind == VALUE_STR && IS_ONE_OF(scope->text, scopes)));
}

static bool knows_decorator(struct walk *x, struct scope *s, const struct stmt *st)
{
    struct str callee, args = STR("");
    struct value v = evaluate(x, s, st->text, st->line);
    if (v.kind == VALUE_MARK) {
        x->marked = true;
        return clean_mark(&v);
    }
    bool call = split_call(st->text, &callee, &args);
    v = evaluate(x, s, callee, st->line);
    if (v.kind != VALUE_EXTERNAL || !str_eq(v.text, STR("pytest.fixture")) || x->fixture)
        return false;
    x->fixture = true;
    return !call || knows_fixture(x, s, args);
}

static bool knows_base(struct walk *x, struct scope *s, struct str part, uint32_t line)
{
    struct value v = evaluate(x, s, part, line);
    const struct object *o = v.kind == VALUE_NAMED ? v.ref : NULL;
    if (v.kind == VALUE_NAMED && !o)
        return str_eq(v.text, STR("object"));
    return o && o->kind == OBJECT_BINDING && o->binding->kind == BIND_CLASS && o->binding->scope == &x->m->scope;
}

/* "class Name(bases)" */
static bool knows_bases(struct walk *x, struct scope *s, struct str header, uint32_t line)
{
    size_t open = str_chr(header, '(');
    struct str rest = str_slice(header, open + 1, header.n), part;
    if (str_contains(str_slice(header, 0, open), STR("[")))
        return false;
    if (open == header.n)
        return true;
    size_t close = split_find(rest, ')');
    if (close >= rest.n || str_trim(str_slice(rest, close + 1, rest.n)).n)
        return false;
    rest = str_slice(rest, 0, close);
    while (split_next(&rest, &part))
        if (split_find(part, '=') != part.n || *part.p == '*' || !knows_base(x, s, part, line))
            return false;
    return rest.n == 0;
}

/* ---- statements ---- */

static void walk_block(struct walk *x, struct scope *s, uint32_t *i, uint8_t depth);

static uint32_t end_of(const struct walk *x, uint32_t i, uint8_t depth)
{
    while (i < x->m->n_stmts && x->m->stmts[i].depth >= depth && x->m->stmts[i].kind != STMT_MUTATED &&
           x->m->stmts[i].kind != STMT_ERROR)
        i++;
    return i;
}

static struct str defined_name(struct str header)
{
    struct str rest = header, word = STR("");
    bool dotted;
    while (split_word(&rest, &word, &dotted) &&
           (str_eq(word, STR("def")) || str_eq(word, STR("class")) || str_eq(word, STR("async"))))
        ;
    return word;
}

static bool walk_def(struct walk *x, struct scope *s, uint32_t *i)
{
    const struct stmt *st = &x->m->stmts[*i];
    struct str name = defined_name(st->text);
    bool odd = x->fixture && (x->marked || str_starts(name, STR("test"))); /* which pytest rejects, or warns of */
    x->fixture = x->marked = false;
    if (odd || !knows_header(x, s, st->text, st->line) || IS_ONE_OF(name, called) || str_starts(name, STR("pytest_")))
        return false;
    *i = end_of(x, *i + 1, (uint8_t)(st->depth + 1));
    strs_add(&x->seen, name);
    return true;
}

static bool walk_class(struct walk *x, struct scope *s, uint32_t *i)
{
    const struct stmt *st = &x->m->stmts[*i];
    struct str name = defined_name(st->text);
    struct binding *b = scope_get(s, name);
    bool odd = x->fixture;
    x->fixture = x->marked = false;
    if (odd || !b || b->kind != BIND_CLASS || b->stmt != *i || b->rebound || b->patched ||
        !knows_bases(x, s, st->text, st->line))
        return false;
    size_t outside = x->seen.n;
    ++*i;
    walk_block(x, world_class_scope(x->w, b), i, (uint8_t)(st->depth + 1));
    x->seen.n = outside;
    strs_add(&x->seen, name);
    return x->clean && !x->skipped;
}

/* The branch that is taken, when that is known. */
static bool walk_if(struct walk *x, struct scope *s, uint32_t *i)
{
    uint8_t depth = x->m->stmts[*i].depth;
    bool done = false;
    for (bool first = true;; first = false) {
        const struct stmt *st = &x->m->stmts[*i];
        bool more = first || (*i < x->m->n_stmts && st->depth == depth && (st->kind == STMT_ELIF || st->kind == STMT_ELSE));
        if (!more)
            return true;
        int holds = st->kind == STMT_ELSE;
        if (!done && st->kind != STMT_ELSE) {
            struct value v = evaluate(x, s, str_trim(str_slice(st->text, st->kind == STMT_IF ? 2 : 4, st->text.n)), st->line);
            holds = is_known(&v) ? value_truth(&v) : -1;
        }
        uint32_t body = ++*i;
        if (!done && holds < 0)
            return false;
        if (!done && holds)
            walk_block(x, s, &body, (uint8_t)(depth + 1));
        if (!x->clean || x->skipped)
            return x->clean;
        done = done || holds;
        *i = end_of(x, *i, (uint8_t)(depth + 1));
    }
}

/* On one line, so that its place is certain. */
static bool walk_call(struct walk *x, struct scope *s, const struct stmt *st)
{
    struct str callee, args;
    if (!split_call(st->text, &callee, &args) || s != &x->m->scope || str_chr(st->text, '\n') < st->text.n)
        return false;
    struct value f = evaluate(x, s, callee, st->line);
    if (f.kind != VALUE_EXTERNAL || !str_eq(f.text, STR("pytest.skip")) || !uses_bound_names(x, s, args))
        return false;
    struct value a = scope_arguments(x->w, s, args);
    const struct value *level = value_keyword(&a, STR("allow_module_level")), *reason = value_keyword(&a, STR("reason"));
    if (a.kind == VALUE_TUPLE && a.n_items == 1 && !reason)
        reason = &a.items[0];
    x->skipped = a.kind == VALUE_TUPLE && a.n_items <= 1 && a.n_items + a.n_keywords == 2 && level && reason &&
                 value_truth(level) == 1 && reason->kind == VALUE_STR && reason->text.n &&
                 str_eq(x->m->skip_reason, reason->text) && x->m->skip_line == st->line;
    return x->skipped;
}

static bool walk_simple(struct walk *x, struct scope *s, const struct stmt *st)
{
    struct split_assignment a;
    if (stmts_is_idle(st->text))
        return true;
    if (str_starts(st->text, STR("import ")))
        return import_modules(x, st->text);
    if (str_starts(st->text, STR("from ")))
        return import_names(x, st->text);
    if (!split_assignment(st->text, &a))
        return walk_call(x, s, st);
    if (a.n_targets != 1 || a.augmented || a.annotation.n || !a.value.n || !is_plain_name(a.targets[0]) ||
        IS_ONE_OF(a.targets[0], called) || str_starts(a.targets[0], STR("pytest_")) || !knows(x, s, a.value, st->line))
        return false;
    strs_add(&x->seen, a.targets[0]);
    return true;
}

static void walk_block(struct walk *x, struct scope *s, uint32_t *i, uint8_t depth)
{
    uint32_t end = end_of(x, *i, depth);
    while (*i < end && x->clean && !x->skipped) {
        const struct stmt *st = &x->m->stmts[*i];
        if (st->kind == STMT_DECORATOR) {
            x->clean = knows_decorator(x, s, st);
            ++*i;
        } else if (st->kind == STMT_DEF) {
            x->clean = walk_def(x, s, i);
        } else if (st->kind == STMT_CLASS) {
            x->clean = walk_class(x, s, i);
        } else if (st->kind == STMT_IF) {
            x->clean = walk_if(x, s, i);
        } else if (st->kind == STMT_SIMPLE) {
            x->clean = st->text.n && walk_simple(x, s, st);
            ++*i;
        } else {
            x->clean = false;
        }
    }
}

enum clean clean_module(struct world *w, struct module *m)
{
    struct walk x = {.w = w, .m = m, .clean = !m->error_line && !m->import_fails};
    uint32_t i = 0;
    walk_block(&x, &m->scope, &i, 0);
    strs_release(&x.seen);
    return !x.clean ? CLEAN_NOT : x.skipped ? CLEAN_SKIPPED : CLEAN_YES;
}
