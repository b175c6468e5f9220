#include "generator/collect/marks.h"

#include "generator/source/lines.h"
#include "generator/source/split.h"

#include <string.h>

enum effect { KEEPS, WRAPS, STATIC, CLASSMETHOD, PROPERTY, FIXTURE, GIVEN, PATCH, PATCH_OBJECT };

/* Decorators from outside whose effect on a test's name and arguments is known. */
static const struct { const char *name; enum effect effect; } known[] = {
    {"staticmethod", STATIC},
    {"classmethod", CLASSMETHOD},
    {"property", PROPERTY},
    {"functools.cached_property", PROPERTY},
    {"abc.abstractmethod", KEEPS},
    {"typing.no_type_check", KEEPS},
    {"typing.final", KEEPS},
    {"typing.override", KEEPS},
    {"contextlib.contextmanager", WRAPS},
    {"unittest.skip", WRAPS},
    {"unittest.skipIf", WRAPS},
    {"unittest.skipUnless", WRAPS},
    {"unittest.expectedFailure", KEEPS},
    {"unittest.mock.patch", PATCH},
    {"unittest.mock.patch.object", PATCH_OBJECT},
    {"unittest.mock.patch.dict", WRAPS},
    {"mock.patch", PATCH},
    {"mock.patch.object", PATCH_OBJECT},
    {"mock.patch.dict", WRAPS},
    {"hypothesis.given", GIVEN},
    {"hypothesis.settings", KEEPS},
    {"hypothesis.example", KEEPS},
    {"hypothesis.seed", KEEPS},
    {"hypothesis.reproduce_failure", KEEPS},
    {"warnings.catch_warnings", WRAPS},
    {"contextlib.suppress", WRAPS},
    {"numpy.errstate", WRAPS},
    {"numpy.testing.suppress_warnings", WRAPS},
};

void marks_add(struct mark_list *l, const struct value *mark)
{
    if (mark->kind != VALUE_MARK) {
        l->doubt = "a mark that cannot be evaluated";
        return;
    }
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    l->items[l->n++] = *mark;
}

static bool has_keyword(const struct value *args, struct str name)
{
    return args->kind != VALUE_UNKNOWN && value_keyword(args, name);
}

static void take_patch(struct decoration *d, const struct value *args, uint32_t position)
{
    d->wrapped = true;
    if (args->kind == VALUE_UNKNOWN)
        d->doubt = "mock.patch with arguments that are computed";
    else if (!has_keyword(args, STR("new")) && args->n_items <= position)
        d->n_mocks++;
}

static void take_given(struct decoration *d, const struct value *args, struct str text)
{
    d->wrapped = true;
    if (args->kind == VALUE_UNKNOWN) { /* strategies are never known, but their names are */
        struct str part;
        while (split_next(&text, &part)) {
            size_t eq = split_find(part, '=');
            if (eq < part.n)
                strs_add(&d->given, str_trim(str_slice(part, 0, eq)));
            else if (part.n && *part.p == '*')
                d->doubt = "hypothesis.given with arguments that are computed";
            else
                d->given_last++;
        }
        return;
    }
    for (uint32_t i = 0; i < args->n_keywords; i++)
        strs_add(&d->given, args->keywords[i].name);
    d->given_last = args->n_items;
}

static void apply(struct decoration *d, enum effect e, const struct value *args, struct str text)
{
    switch (e) {
    case KEEPS:
        break;
    case WRAPS:
        d->wrapped = true;
        break;
    case STATIC:
        d->is_static = true;
        break;
    case CLASSMETHOD:
        d->is_class = true;
        break;
    case PROPERTY:
        d->property = true;
        break;
    case FIXTURE:
        d->fixture = true;
        break;
    case GIVEN:
        take_given(d, args, text);
        break;
    case PATCH:
        take_patch(d, args, 1);
        break;
    case PATCH_OBJECT:
        take_patch(d, args, 2);
        break;
    }
}

/* A function of the project that returns a wrapper made with functools.wraps, or what it got, keeps name and
 * arguments. */
static bool is_wrapper(const struct value *v, uint32_t words)
{
    const struct object *o = v->kind == VALUE_NAMED ? v->ref : NULL;
    if (!o || o->kind != OBJECT_BINDING || o->binding->kind != BIND_DEF)
        return false;
    return o->module->stmts[o->binding->stmt].words & words;
}

static void read_one(struct world *w, struct binding *def, struct str text, uint32_t line, struct decoration *d)
{
    struct str callee, args = STR("");
    split_call(text, &callee, &args);
    struct value v = scope_eval(w, def->scope, callee);
    if (v.kind == VALUE_MARK) {
        w->line = line;
        v = scope_eval(w, def->scope, text);
        marks_add(d->marks, &v);
        if (d->marks->doubt)
            d->doubt = d->marks->doubt;
        return;
    }
    if (v.kind == VALUE_EXTERNAL && (str_eq(v.text, STR("pytest.fixture")) ||
                                     str_eq(v.text, STR("pytest.yield_fixture")) ||
                                     str_eq(v.text, STR("pytest_asyncio.fixture")))) {
        d->fixture = true;
        return;
    }
    if (v.kind == VALUE_EXTERNAL || (v.kind == VALUE_NAMED && !v.ref))
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (str_eq(v.text, str_z(known[i].name))) {
                struct value a = scope_arguments(w, def->scope, args);
                apply(d, known[i].effect, &a, args);
                return;
            }
    struct value whole = {0};
    if (callee.n < text.n) /* a function that returns a mark */
        whole = scope_eval(w, def->scope, text);
    if (whole.kind == VALUE_MARK) {
        marks_add(d->marks, &whole);
        return;
    }
    if (is_wrapper(&v, WORD_WRAPS)) {
        d->wrapped = true;
        return;
    }
    if (callee.n == text.n && is_wrapper(&v, WORD_RETURNS))
        return;
    if (v.kind == VALUE_UNKNOWN && str_ends(callee, STR("setter")))
        d->property = true;
    d->doubt = "a decorator that cannot be followed";
}

void decoration_read(struct world *w, struct binding *def, struct decoration *d)
{
    const struct module *m = def->scope->module;
    for (uint32_t i = def->stmt; i > def->decorators; i--)
        if (m->stmts[i - 1].kind == STMT_DECORATOR && m->stmts[i - 1].depth == m->stmts[def->stmt].depth)
            read_one(w, def, m->stmts[i - 1].text, m->stmts[i - 1].line, d);
}

void marks_of_scope(struct world *w, struct scope *s, struct mark_list *l)
{
    struct binding *b = scope_get(s, STR("pytestmark"));
    if (!b)
        return;
    struct value v = {0};
    if (!b->mutated || b->kind != BIND_VALUE)
        v = binding_value(w, b);
    if (v.kind == VALUE_MARK)
        marks_add(l, &v);
    else if (v.kind != VALUE_LIST && v.kind != VALUE_TUPLE)
        l->doubt = "pytestmark cannot be evaluated";
    else
        for (uint32_t i = 0; i < v.n_items; i++)
            marks_add(l, &v.items[i]);
}

static void marks_of_own_class(struct world *w, struct class_info *c, struct mark_list *l)
{
    struct binding *b = c->class;
    const struct module *m = b->scope->module;
    marks_of_scope(w, c->scope, l);
    for (uint32_t i = b->stmt; i > b->decorators; i--) {
        const struct stmt *st = &m->stmts[i - 1];
        struct str callee, args;
        if (st->kind != STMT_DECORATOR || st->depth != m->stmts[b->stmt].depth)
            continue;
        split_call(st->text, &callee, &args);
        struct value v = scope_eval(w, b->scope, callee);
        if (v.kind != VALUE_MARK)
            continue;
        w->line = st->line;
        v = scope_eval(w, b->scope, st->text);
        marks_add(l, &v);
    }
}

void marks_of_class(struct world *w, struct class_info *c, struct mark_list *l)
{
    uint32_t n_marked = 0;
    for (uint32_t i = c->n_mro; i > 0; i--) {
        uint32_t before = l->n;
        marks_of_own_class(w, c->mro[i - 1], l);
        n_marked += l->n > before;
    }
    if (n_marked > 1 && w->config->pytest < 704 && !l->doubt)
        l->doubt = "marks of base classes, of which this pytest takes some";
}

/* ---- skips ---- */

static bool skipif_holds(const struct value *mark, struct test_skip *s)
{
    const struct value *condition = mark->n_items ? &mark->items[0] : value_keyword(mark, STR("condition"));
    const struct value *reason = value_keyword(mark, STR("reason"));
    if (!condition || condition->kind == VALUE_STR || mark->n_items > 1 || value_truth(condition) != 1)
        return false;
    if (!reason || reason->kind != VALUE_STR)
        return false; /* without a reason it is an error */
    s->reason = reason->text;
    return true;
}

static bool skip_holds(const struct value *mark, struct test_skip *s)
{
    const struct value *reason = mark->n_items ? &mark->items[0] : value_keyword(mark, STR("reason"));
    s->reason = STR("unconditional skip");
    if (!reason)
        return true;
    s->reason = reason->text;
    return reason->kind == VALUE_STR;
}

struct test_skip marks_skip(const struct value *marks, uint32_t n)
{
    struct test_skip s = {0};
    for (uint32_t i = 0; i < n && !s.certain; i++) {
        if (!str_eq(marks[i].text, STR("skipif")))
            continue;
        s.certain = skipif_holds(&marks[i], &s);
        const struct value *c = marks[i].n_items ? &marks[i].items[0] : NULL;
        if (!s.certain && (!c || value_truth(c) != 0))
            return (struct test_skip){0}; /* an earlier one may decide otherwise */
    }
    for (uint32_t i = 0; i < n && !s.certain; i++)
        if (str_eq(marks[i].text, STR("skip")))
            s.certain = skip_holds(&marks[i], &s);
    return s;
}
