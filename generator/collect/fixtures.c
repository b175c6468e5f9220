#include "generator/collect/fixtures.h"

#include "generator/source/lines.h"
#include "generator/source/split.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEEP = 100 };

/* Decorators that make a fixture of a function, with pytest.fixture's keywords. */
static const char *const makers[] = {
    "pytest.fixture", "pytest.yield_fixture", "_pytest.fixtures.fixture", "pytest_asyncio.fixture",
    "pytest_trio.trio_fixture", "pytest_twisted.async_fixture", "pytest_lazyfixture.fixture"};

static const struct { const char *name; enum fixture_scope scope; } scopes[] = {
    {"function", SCOPE_FUNCTION}, {"class", SCOPE_CLASS},     {"module", SCOPE_MODULE},
    {"package", SCOPE_PACKAGE},   {"session", SCOPE_SESSION},
};

bool fixture_arguments(struct world *w, struct str header, uint32_t drop, struct str **args, uint32_t *n)
{
    size_t open = str_chr(header, '(');
    struct str rest, part;
    if (str_starts(header, STR("lambda"))) {
        rest = str_slice(header, 6, header.n);
        rest = str_slice(rest, 0, split_find(rest, ':'));
    } else {
        struct str from = str_slice(header, open, header.n);
        size_t arrow = from.n;
        for (size_t i = 0; i + 1 < from.n; i++) /* "-> type" follows the last bracket of the parameters */
            if (from.p[i] == '-' && from.p[i + 1] == '>' && split_find(str_slice(from, 0, i), '\1') == i)
                arrow = i;
        from = str_trim(str_slice(from, 0, arrow));
        if (from.n < 2 || from.p[from.n - 1] != ')')
            return false;
        rest = str_slice(from, 1, from.n - 1);
    }
    struct str found[64];
    *n = 0;
    bool positional_only = false;
    uint32_t count = 0;
    while (split_next(&rest, &part)) {
        if (!part.n)
            continue;
        if (*part.p == '*') /* *args, **kwargs, and the bare * */
            continue;
        if (*part.p == '/') {
            positional_only = true;
            count = 0;
            continue;
        }
        struct str words = part, word;
        bool dotted;
        if (split_find(part, '=') < part.n || !split_word(&words, &word, &dotted) || word.p != part.p)
            continue;
        if (count == 64)
            return false;
        found[count++] = word;
    }
    if (rest.n)
        return false;
    if (positional_only)
        drop = 0;
    drop = drop < count ? drop : count;
    *args = arena_array(&w->arena, count - drop, sizeof **args);
    for (uint32_t i = drop; i < count; i++)
        (*args)[(*n)++] = found[i];
    return true;
}

static void read_keywords(struct world *w, struct fixture *f, struct scope *s, struct str args)
{
    struct value a = scope_arguments(w, s, args);
    const struct value *scope = value_keyword(&a, STR("scope")), *params = value_keyword(&a, STR("params"));
    const struct value *autouse = value_keyword(&a, STR("autouse")), *ids = value_keyword(&a, STR("ids"));
    const struct value *name = value_keyword(&a, STR("name"));
    if (a.kind == VALUE_UNKNOWN) {
        f->doubt = "a fixture whose parameters are computed";
        return;
    }
    if (scope && scope->kind == VALUE_STR) {
        for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
            if (str_eq(scope->text, str_z(scopes[i].name)))
                f->scope = scopes[i].scope;
    }
    f->autouse = autouse && value_truth(autouse) != 0;
    if (params && params->kind != VALUE_NONE) {
        f->has_params = true;
        f->params = *params;
    }
    if (ids && ids->kind != VALUE_NONE) {
        f->has_ids = true;
        f->ids = *ids;
    }
    if (name && name->kind == VALUE_STR)
        f->name = name->text;
    else if (name && name->kind != VALUE_NONE)
        f->doubt = "a fixture whose name is computed";
}

/* Is this function a fixture? Its decorators say so. */
static bool read_fixture(struct world *w, struct binding *def, struct fixture *f, bool method)
{
    const struct module *m = def->scope->module;
    bool found = false;
    *f = (struct fixture){.name = def->name, .def = def};
    for (uint32_t i = def->decorators; i < def->stmt; i++) {
        struct str callee, args = STR("");
        if (m->stmts[i].kind != STMT_DECORATOR)
            continue;
        bool called = split_call(m->stmts[i].text, &callee, &args);
        if (!str_contains(m->stmts[i].text, STR("fixture")) && str_chr(callee, '.') < callee.n)
            continue;
        w->line = m->stmts[i].line;
        struct value v = scope_eval(w, def->scope, callee);
        for (size_t k = 0; v.kind == VALUE_EXTERNAL && k < sizeof makers / sizeof *makers; k++) {
            if (!str_eq(v.text, str_z(makers[k])))
                continue;
            found = true;
            if (called)
                read_keywords(w, f, def->scope, args);
        }
        if (!found && v.kind != VALUE_MARK && str_contains(m->stmts[i].text, STR("fixture"))) {
            found = true; /* something called …fixture… that is not followed */
            f->doubt = "a fixture made by a decorator that cannot be followed";
        }
    }
    struct str *list;
    if (found && !fixture_arguments(w, m->stmts[def->stmt].text, method, &list, &f->n_args))
        f->doubt = "a fixture's parameters cannot be read";
    else if (found)
        f->args = list;
    if (def->maybe)
        f->doubt = "a fixture that is defined conditionally";
    return found;
}

static int by_name(const void *a, const void *b)
{
    const struct fixture *x = a, *y = b;
    return str_cmp(x->def->name, y->def->name);
}

struct fixture_list *fixtures_of(struct world *w, struct scope *s)
{
    if (s->fixtures)
        return s->fixtures;
    struct fixture_list *l = s->fixtures = arena_alloc(&w->arena, sizeof *l);
    bool conftest = str_eq(path_base(s->module->path), STR("conftest.py"));
    struct fixture *items = NULL, f;
    size_t cap = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct binding *b = s->items[i], *def = NULL;
        if (b->deleted)
            continue;
        if (b->kind == BIND_DEF)
            def = b->decorators < b->stmt ? b : NULL;
        else if (b->kind == BIND_FROM && (conftest || str_contains(b->text, STR("fixture")) ||
                                          str_contains(b->text, STR("conftest"))))
            def = binding_follow(w, b, false);
        if (!def || def->kind != BIND_DEF || !read_fixture(w, def, &f, s->owner != NULL))
            continue;
        if (str_eq(f.name, def->name))
            f.name = b->name;
        items = xgrow(items, &cap, l->n + 1, sizeof *items);
        items[l->n++] = f;
    }
    if (l->n) {
        qsort(items, l->n, sizeof *items, by_name);
        l->items = arena_array(&w->arena, l->n, sizeof *items);
        memcpy(l->items, items, l->n * sizeof *items);
    }
    free(items);
    return l;
}

/* Something that could make a fixture of it. */
static bool has_unknown_decorator(struct world *w, struct binding *def)
{
    const struct module *m = def->scope->module;
    for (uint32_t i = def->decorators; i < def->stmt; i++) {
        struct str callee, args;
        if (m->stmts[i].kind != STMT_DECORATOR)
            continue;
        split_call(m->stmts[i].text, &callee, &args);
        struct value v = scope_eval(w, def->scope, callee);
        const struct object *o = v.kind == VALUE_NAMED ? v.ref : NULL;
        if (v.kind == VALUE_UNKNOWN || v.kind == VALUE_PLAIN || (o && o->kind == OBJECT_BINDING))
            return true;
    }
    return false;
}

struct fixture *fixture_find(struct world *w, struct scope *s, struct str name)
{
    struct fixture_list *l = fixtures_of(w, s);
    for (uint32_t i = 0; i < l->n; i++)
        if (str_eq(l->items[i].name, name))
            return &l->items[i];
    struct binding *b = scope_get(s, name);
    if (b && b->kind == BIND_DEF && b->decorators < b->stmt && has_unknown_decorator(w, b)) {
        struct fixture *made = arena_alloc(&w->arena, sizeof *made);
        *made = (struct fixture){.name = name, .def = b, .doubt = "a fixture made by a decorator that cannot be followed"};
        return made;
    }
    if (!b || b->kind == BIND_DEF || b->kind == BIND_CLASS || b->kind == BIND_MODULE)
        return NULL;
    bool hint = str_contains(b->text, STR("fixture")) || str_contains(b->text, STR("conftest"));
    if (b->kind == BIND_OPAQUE || (b->kind == BIND_VALUE && !hint && !scope_get(s, b->text)))
        return NULL;
    struct binding *def = binding_follow(w, b, true);
    if (!def && !hint)
        return NULL;
    struct fixture f;
    if (def && (def->kind != BIND_DEF || !read_fixture(w, def, &f, false)))
        return NULL;
    struct fixture *kept = arena_alloc(&w->arena, sizeof *kept);
    if (def) {
        *kept = f;
    } else {
        struct value v = binding_value(w, b);
        if (v.kind != VALUE_UNKNOWN && v.kind != VALUE_EXTERNAL)
            return NULL;
        *kept = (struct fixture){.def = b, .doubt = "a fixture that cannot be followed"};
    }
    kept->name = name;
    return kept;
}

/* name = make(): is that a function in which a fixture is made, whose name is not the value's? */
static bool may_hide(struct world *w, struct scope *s, const struct binding *b)
{
    struct str callee, args;
    if (b->deleted || b->kind != BIND_VALUE || !split_call(b->text, &callee, &args))
        return false;
    struct value f = scope_eval(w, s, callee);
    const struct object *o = f.kind == VALUE_NAMED ? f.ref : NULL;
    return o && o->kind == OBJECT_BINDING && o->binding->kind == BIND_DEF &&
           o->module->stmts[o->binding->stmt].words & WORD_FIXTURE;
}

static bool hides_fixtures(struct world *w, struct scope *s)
{
    struct fixture_list *l = fixtures_of(w, s);
    for (size_t i = 0; i < s->n && !l->hides; i++)
        l->hides = may_hide(w, s, s->items[i]);
    l->hides = l->hides ? l->hides : 2;
    return l->hides == 1;
}

static bool is_builtin(struct str name)
{
    static const char *const names[] = {"request", "tmp_path", "tmpdir", "monkeypatch", "capsys", "capfd", "caplog", "recwarn",
                                        "tmp_path_factory", "pytestconfig", "cache", "subtests"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (str_eq(name, str_z(names[i])))
            return true;
    return false;
}

/* ---- the closure ---- */

struct tracer {
    struct world *w;
    const struct fixture_chain *chain;
    const struct strs *ignore;
    struct fixture_closure *out;
    /* of each name in out, set when it is added: */
    uint32_t used[256];     /* how many of its definitions, from the near end, are being followed */
    bool known[256];        /* nearest is there */
    struct fixture *nearest[256];
};

/* The definition of name that is `back` steps away from the nearest. *total: how many there are. */
static struct fixture *definition(struct tracer *x, struct str name, uint32_t back)
{
    if (strs_has(x->ignore, name))
        return NULL;
    for (uint32_t i = x->chain->n; i > 0; i--) {
        struct fixture *f = fixture_find(x->w, x->chain->scopes[i - 1], name);
        if (f && back-- == 0)
            return f;
    }
    return NULL;
}

static uint32_t index_of(struct tracer *x, struct str name)
{
    for (uint32_t i = 0; i < x->out->n; i++)
        if (str_eq(x->out->names[i], name))
            return i;
    return UINT32_MAX;
}

static uint32_t add_name(struct tracer *x, struct str name)
{
    uint32_t i = index_of(x, name);
    if (i != UINT32_MAX)
        return i;
    if (x->out->n == 256) {
        x->out->doubt = "too many fixtures";
        return UINT32_MAX;
    }
    x->out->names[x->out->n] = name;
    x->out->defs[x->out->n] = NULL;
    x->used[x->out->n] = 0;
    x->known[x->out->n] = false;
    return x->out->n++;
}

/* The definition of a name in out, looked up once. */
static struct fixture *nearest(struct tracer *x, uint32_t i)
{
    if (!x->known[i])
        x->nearest[i] = definition(x, x->out->names[i], 0);
    x->known[i] = true;
    return x->nearest[i];
}

/* pytest 9.1: depth first, and through definitions that are overridden. */
static void follow_deep(struct tracer *x, struct str name, int deep)
{
    bool fresh = index_of(x, name) == UINT32_MAX;
    uint32_t i = add_name(x, name);
    if (i == UINT32_MAX || deep > MAX_DEEP || (!fresh && x->used[i] == 0))
        return;
    const struct fixture *f = x->used[i] ? definition(x, name, x->used[i]) : nearest(x, i);
    if (!f)
        return;
    x->used[i]++;
    for (uint32_t k = 0; k < f->n_args; k++)
        follow_deep(x, f->args[k], deep + 1);
    x->used[i]--;
}

/* Before: breadth first, the nearest definition alone. */
static void follow_wide(struct tracer *x)
{
    for (uint32_t i = 0; i < x->out->n; i++) {
        const struct fixture *f = nearest(x, i);
        for (uint32_t k = 0; f && k < f->n_args; k++)
            add_name(x, f->args[k]);
    }
}

/* The definition that gives the parameters: the nearest, or one that it overrides and requests. */
static const struct fixture *parametrized(struct tracer *x, uint32_t i)
{
    struct str name = x->out->names[i];
    const struct fixture *first = nearest(x, i), *f = first;
    for (uint32_t back = 1; f; f = definition(x, name, back++)) {
        bool again = false;
        if (f->doubt || f->has_params)
            return f;
        for (uint32_t k = 0; k < f->n_args; k++)
            again = again || str_eq(f->args[k], name);
        if (!again)
            return first;
    }
    return first;
}

static void sort_by_scope(struct tracer *x)
{
    struct fixture_closure *c = x->out;
    enum fixture_scope scope[256];
    for (uint32_t i = 0; i < c->n; i++) {
        const struct fixture *f = nearest(x, i);
        scope[i] = f ? f->scope : SCOPE_FUNCTION;
    }
    for (uint32_t i = 1; i < c->n; i++) /* stable, and short */
        for (uint32_t k = i; k > 0 && scope[k] > scope[k - 1]; k--) {
            struct str name = c->names[k]; /* of what the tracer knows of the names nothing is asked any more */
            const struct fixture *f = c->defs[k];
            enum fixture_scope s = scope[k];
            c->names[k] = c->names[k - 1], c->defs[k] = c->defs[k - 1], scope[k] = scope[k - 1];
            c->names[k - 1] = name, c->defs[k - 1] = f, scope[k - 1] = s;
        }
}

void fixture_closure(struct world *w, const struct fixture_chain *chain, const struct str *initial,
                     uint32_t n_initial, const struct strs *ignore, struct fixture_closure *out)
{
    struct tracer x;
    x.w = w;
    x.chain = chain;
    x.ignore = ignore;
    x.out = out;
    out->n = 0;
    out->doubt = NULL;
    bool deep = w->config->pytest >= 901;
    for (uint32_t i = 0; i < n_initial; i++)
        if (deep)
            follow_deep(&x, initial[i], 0);
        else
            add_name(&x, initial[i]);
    if (!deep)
        follow_wide(&x);
    for (uint32_t i = 0; i < out->n; i++) {
        out->defs[i] = parametrized(&x, i);
        if (out->defs[i] && out->defs[i]->doubt)
            out->doubt = out->defs[i]->doubt;
        if (out->defs[i] || out->doubt || strs_has(ignore, out->names[i]) || is_builtin(out->names[i]))
            continue;
        for (uint32_t k = 0; k < chain->n && !out->doubt; k++)
            if (hides_fixtures(w, chain->scopes[k]))
                out->doubt = "a fixture that a function may return under another name";
    }
    sort_by_scope(&x);
}
