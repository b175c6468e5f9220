#include "generator/collect/hooks.h"

#include "generator/eval/scope.h"
#include "generator/source/parse_regex.h"
#include "generator/source/split.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CALLS_DEEP = 4 };

/* Hooks whose effect on the collection is not followed. */
static const char *const opaque[] = {
    "pytest_pycollect_makeitem", "pytest_pycollect_makemodule", "pytest_collection", "pytest_ignore_collect",
    "pytest_make_collect_report", "pytest_make_parametrize_id", "pytest_asyncio_loop_factories"};

/* Functions that only look at a list. */
static const char *const lookers[] = {"len", "enumerate", "sorted", "list", "reversed", "iter", "zip", "any", "all",
                                      "print", "isinstance", "set", "tuple", "max", "min", "sum", "map", "filter"};

struct follower {
    struct world *w;
    struct module *conftest, *body; /* body: the statements of the hook that is followed */
    struct str items;               /* what its list of items is called */
    int deep;
    bool changes;
};

static bool follow(struct follower *f, uint32_t from, uint32_t to);

/* ---- options of the project ---- */

static const struct stmt *body_of(const struct module *m, const struct binding *b)
{
    if (!b || b->kind != BIND_DEF || b->scope->module != m || b->stmt + 1 >= m->n_stmts)
        return NULL;
    const struct stmt *body = &m->stmts[b->stmt + 1];
    return body->kind == STMT_BODY && body->text.n ? body : NULL;
}

static bool names_option(struct str given, struct str asked)
{
    while (given.n && *given.p == '-')
        given = str_slice(given, 1, given.n);
    while (asked.n && *asked.p == '-')
        asked = str_slice(asked, 1, asked.n);
    bool same = given.n == asked.n && given.n > 0;
    for (size_t i = 0; same && i < given.n; i++)
        same = given.p[i] == asked.p[i] || (given.p[i] == '-' && asked.p[i] == '_');
    return same;
}

static bool is_given(const struct world *w, struct str name)
{
    for (size_t i = 0; i < w->config->unknown.n; i++) {
        struct str option = w->config->unknown.items[i];
        if (names_option(str_slice(option, 0, str_chr(option, '=')), name))
            return true;
    }
    return false;
}

/* The default of an option that the conftest's pytest_addoption defines. False: there is none. */
static bool option_default(struct world *w, struct module *m, struct str asked, struct value *out)
{
    const struct stmt *body = body_of(m, scope_get(&m->scope, STR("pytest_addoption")));
    struct str rest = body ? body->text : STR(""), word;
    bool dotted;
    while (split_word(&rest, &word, &dotted)) {
        struct str callee, args, call;
        size_t n = 0;
        if (!dotted || !str_eq(word, STR("addoption")) || !rest.n || *rest.p != '(')
            continue;
        struct str inner = str_slice(rest, 1, rest.n);
        n = split_find(inner, ')');
        if (n >= inner.n)
            continue;
        call = (struct str){word.p, (size_t)(inner.p + n + 1 - word.p)};
        if (!split_call(call, &callee, &args))
            continue;
        struct value a = scope_arguments(w, &m->scope, args);
        const struct value *dest = value_keyword(&a, STR("dest")), *value = value_keyword(&a, STR("default"));
        const struct value *action = value_keyword(&a, STR("action"));
        bool mine = dest && dest->kind == VALUE_STR && names_option(dest->text, asked);
        for (uint32_t i = 0; a.kind == VALUE_TUPLE && i < a.n_items; i++)
            mine = mine || (a.items[i].kind == VALUE_STR && names_option(a.items[i].text, asked));
        if (!mine)
            continue;
        for (uint32_t i = 0; i < a.n_items; i++)
            if (a.items[i].kind == VALUE_STR && is_given(w, a.items[i].text))
                return false;
        *out = (struct value){.kind = VALUE_NONE};
        if (action && action->kind == VALUE_STR && str_eq(action->text, STR("store_true")))
            *out = (struct value){.kind = VALUE_BOOL};
        if (value)
            *out = *value;
        return true;
    }
    return false;
}

static void call_config(void *ctx, struct str qualified, const struct value *call, struct value *out)
{
    struct follower *f = ctx;
    bool getter = str_eq(qualified, STR("pytest.Config.getoption")) || str_eq(qualified, STR("pytest.Config.getvalue"));
    if (getter && call->n_items && call->items[0].kind == VALUE_STR)
        option_default(f->w, f->conftest, call->items[0].text, out);
}

/* ---- one function ---- */

static bool is_looker(struct str word)
{
    for (size_t i = 0; i < sizeof lookers / sizeof *lookers; i++)
        if (str_eq(word, str_z(lookers[i])))
            return true;
    return false;
}

static bool is_change(struct str method)
{
    static const char *const changes[] = {"remove", "clear", "pop", "append", "extend", "insert"};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
        if (str_eq(method, str_z(changes[i])))
            return true;
    return false;
}

/* A function of the same conftest that gets the list: followed too. */
static void follow_call(struct follower *f, struct str name);

/* What a statement does to the list of items. */
static void look_at(struct follower *f, struct str text)
{
    struct str rest = text, word, before = STR("");
    bool dotted;
    if (str_contains(text, STR("deselected")) || str_contains(text, STR("nodeid =")) ||
        str_contains(text, STR(".name =")) || (str_starts(text, STR("del ")) && str_contains(text, f->items)))
        f->changes = true;
    while (!f->changes && split_word(&rest, &word, &dotted)) {
        if (!dotted && str_eq(word, f->items)) {
            struct str next = str_trim(rest), after = rest, method;
            bool dot;
            if (next.n && *next.p == '[') { /* items[:] = …, and not items[0] */
                struct split_assignment a;
                f->changes = split_assignment(text, &a) && a.targets[0].p == word.p;
            } else if (next.n && *next.p == '=' && !(next.n > 1 && next.p[1] == '=') && word.p == text.p) {
                return; /* another list from here on */
            } else if (next.n && *next.p == '.' && split_word(&after, &method, &dot)) {
                f->changes = is_change(method);
            } else if (before.n && !is_looker(before)) {
                follow_call(f, before);
            }
        }
        if (!dotted && !str_eq(word, STR("config")) && !str_eq(word, STR("session")))
            before = word;
    }
}

static int condition(struct follower *f, const struct stmt *st)
{
    struct str text = str_trim(str_slice(st->text, st->kind == STMT_IF ? 2 : 4, st->text.n));
    bool option = str_contains(text, STR("getoption")) || str_contains(text, STR("getvalue"));
    if (str_chr(text, '(') < text.n && !option)
        return -1; /* other calls would only read more modules */
    struct value v = scope_eval(f->w, &f->body->scope, text);
    return value_truth(&v);
}

static uint32_t end_of(const struct module *m, uint32_t i, uint32_t to)
{
    uint8_t depth = m->stmts[i].depth;
    for (i++; i < to && m->stmts[i].depth > depth; i++)
        ;
    return i;
}

/* if, elif, else. True: every way through it ends the function. */
static bool follow_if(struct follower *f, uint32_t *i, uint32_t to)
{
    const struct module *m = f->body;
    uint8_t depth = m->stmts[*i].depth;
    bool done = false, ends = true;
    do {
        const struct stmt *st = &m->stmts[*i];
        uint32_t end = end_of(m, *i, to);
        int holds = done ? 0 : st->kind == STMT_ELSE ? 1 : condition(f, st);
        if (holds != 0)
            ends = follow(f, *i + 1, end) && ends;
        done = done || holds == 1;
        *i = end;
    } while (*i < to && m->stmts[*i].depth == depth &&
             (m->stmts[*i].kind == STMT_ELIF || m->stmts[*i].kind == STMT_ELSE));
    return done && ends;
}

/* True: the function has returned. */
static bool follow(struct follower *f, uint32_t from, uint32_t to)
{
    const struct module *m = f->body;
    for (uint32_t i = from; i < to && !f->changes;) {
        const struct stmt *st = &m->stmts[i];
        struct split_assignment a;
        if (st->kind == STMT_IF) {
            if (follow_if(f, &i, to))
                return true;
            continue;
        }
        if (st->kind == STMT_SIMPLE) {
            look_at(f, st->text);
            if (str_starts(st->text, STR("return")) || str_starts(st->text, STR("raise")))
                return true;
            if (split_assignment(st->text, &a) && a.n_targets == 1 && !a.augmented && a.value.n)
                scope_bind(f->w, &f->body->scope, a.targets[0], BIND_VALUE, false)->text = a.value;
        } else if (st->kind == STMT_FOR || st->kind == STMT_WHILE) {
            bool ends = follow(f, i + 1, end_of(m, i, to));
            (void)ends; /* perhaps it was not entered */
            i = end_of(m, i, to);
            continue;
        }
        i++;
    }
    return false;
}

/* The statements of a function's body, in a scope inside of the conftest's. */
static struct module *read_body(struct follower *f, const struct stmt *body)
{
    struct buf text = {0}, packed = {0};
    struct module *m = NULL;
    size_t cap = 0;
    buf_z(&text, "if 1:\n");
    buf_str(&text, body->text);
    buf_char(&text, '\n');
    if (parse_regex(buf_view(&text), &packed)) {
        struct str rest = {arena_dup(&f->w->arena, packed.p, packed.n), packed.n};
        struct stmt s, *stmts = NULL;
        m = arena_alloc(&f->w->arena, sizeof *m);
        m->path = f->conftest->path;
        m->name = f->conftest->name;
        m->scope.module = m;
        m->scope.outer = &f->conftest->scope;
        while (stmts_next(&rest, &s)) {
            stmts = xgrow(stmts, &cap, m->n_stmts + 1, sizeof *stmts);
            stmts[m->n_stmts++] = s;
        }
        m->stmts = arena_array(&f->w->arena, m->n_stmts, sizeof *stmts);
        if (stmts)
            memcpy(m->stmts, stmts, m->n_stmts * sizeof *stmts);
        free(stmts);
    }
    buf_release(&text);
    buf_release(&packed);
    return m;
}

/* What the parameters are called that get the configuration and the items. */
static struct str parameter(const struct module *m, const struct binding *b, const char *contains)
{
    struct str rest = m->stmts[b->stmt].text, word;
    bool dotted;
    while (split_word(&rest, &word, &dotted))
        if (str_contains(word, str_z(contains)) && word.p != b->name.p)
            return word;
    return STR("");
}

static void follow_function(struct follower *f, struct binding *b)
{
    const struct stmt *body = body_of(f->conftest, b);
    struct module *before = f->body, *m = body ? read_body(f, body) : NULL;
    struct str items = f->items, config;
    if (!m) {
        f->changes = true;
        return;
    }
    f->items = parameter(f->conftest, b, "items");
    config = parameter(f->conftest, b, "config");
    f->body = m;
    if (config.n) {
        struct binding *c = scope_bind(f->w, &m->scope, config, BIND_VALUE, false);
        struct value v = {.kind = VALUE_EXTERNAL, .text = STR("pytest.Config")};
        binding_set(f->w, c, &v);
    }
    if (f->items.n)
        follow(f, 0, m->n_stmts);
    free(m->scope.items);
    map_release(&m->scope.names);
    f->body = before;
    f->items = items;
}

static void follow_call(struct follower *f, struct str name)
{
    struct binding *b = scope_get(&f->conftest->scope, name);
    if (!b || b->kind != BIND_DEF || f->deep == MAX_CALLS_DEEP)
        return;
    f->deep++;
    follow_function(f, b);
    f->deep--;
}

const char *hooks_doubt(struct world *w, struct module *m)
{
    struct follower f = {.w = w, .conftest = m, .items = STR("items")};
    for (size_t i = 0; i < sizeof opaque / sizeof *opaque; i++)
        if (scope_get(&m->scope, str_z(opaque[i])))
            return "a conftest has a hook that may change what is collected";
    if (m->scope.doubt && str_contains(str_z(m->scope.doubt), STR("import")))
        return "a conftest has an import that cannot be followed";
    struct binding *b = scope_get(&m->scope, STR("pytest_collection_modifyitems"));
    if (!b)
        return NULL;
    w->external_call = call_config;
    w->external_ctx = &f;
    if (b->kind == BIND_DEF)
        follow_function(&f, b);
    w->external_call = NULL;
    return f.changes || b->kind != BIND_DEF ? "a conftest's pytest_collection_modifyitems may leave tests out" : NULL;
}

/* ---- collect_ignore ---- */

static void take_list(struct world *w, struct module *m, const char *name, struct strs *out, bool *unsure)
{
    struct binding *b = scope_get(&m->scope, str_z(name));
    if (!b)
        return;
    struct value v = binding_value(w, b);
    if (v.kind != VALUE_LIST && v.kind != VALUE_TUPLE) {
        *unsure = true;
        return;
    }
    for (uint32_t i = 0; i < v.n_items; i++) {
        struct buf path = {0};
        if (v.items[i].kind != VALUE_STR) {
            *unsure = true;
            continue;
        }
        path_join(&path, path_dir(m->path), v.items[i].text);
        strs_add(out, (struct str){arena_dup(&w->arena, path.p, path.n), path.n});
        buf_release(&path);
    }
}

void hooks_ignored(struct world *w, struct module *m, struct strs *paths, struct strs *globs, bool *unsure)
{
    take_list(w, m, "collect_ignore", paths, unsure);
    take_list(w, m, "collect_ignore_glob", globs, unsure);
}
