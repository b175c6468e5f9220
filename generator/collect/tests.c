#include "generator/collect/tests_collect.h"

#include "generator/collect/registered.h"
#include "generator/source/lines.h"
#include "generator/source/split.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool matches(const struct strs *patterns, struct str name)
{
    for (size_t i = 0; i < patterns->n; i++) {
        struct str p = patterns->items[i];
        if (str_starts(name, p))
            return true;
        bool glob = str_chr(p, '*') < p.n || str_chr(p, '?') < p.n || str_chr(p, '[') < p.n;
        char pattern[256], text[512];
        if (!glob || p.n >= sizeof pattern || name.n >= sizeof text)
            continue;
        memcpy(pattern, p.p, p.n);
        memcpy(text, name.p, name.n);
        pattern[p.n] = text[name.n] = '\0';
        if (fnmatch(pattern, text, FNM_NOESCAPE) == 0)
            return true;
    }
    return false;
}

struct str collector_id(struct collector *x, struct str name, struct str id, bool parametrized)
{
    size_t n = x->o->relative.n + name.n + id.n + 8;
    for (uint32_t i = 0; i < x->n_classes; i++)
        n += x->class_names[i].n + 2;
    char *p = arena_alloc(&x->w->arena, n), *q = p;
    memcpy(q, x->o->relative.p, x->o->relative.n);
    q += x->o->relative.n;
    for (uint32_t i = 0; i <= x->n_classes; i++) {
        struct str part = i < x->n_classes ? x->class_names[i] : name;
        if (!part.n)
            break;
        memcpy(q, "::", 2);
        memcpy(q + 2, part.p, part.n);
        q += 2 + part.n;
    }
    if (parametrized) {
        *q++ = '[';
        memcpy(q, id.p, id.n);
        q += id.n;
        *q++ = ']';
    }
    return (struct str){p, (size_t)(q - p)};
}

struct str collector_class(struct collector *x)
{
    struct buf b = {0};
    for (uint32_t i = 0; i < x->n_classes; i++) {
        if (i)
            buf_z(&b, "::");
        buf_str(&b, x->class_names[i]);
    }
    struct str s = {arena_dup(&x->w->arena, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return s;
}

void collector_doubtful(struct collector *x, struct str name, uint32_t line, const char *why, bool error)
{
    struct test t = {.id = collector_id(x, name, STR(""), false), .function = name, .class = collector_class(x),
                     .line = line, .doubt = why, .error = error};
    if (x->n_classes)
        t.class_ref = x->classes[x->n_classes - 1];
    x->add(x->ctx, &t);
}

/* ---- classes ---- */

static void collect_class(struct collector *x, struct str name, struct binding *b, struct class_info *c);

/* A name in a module or class body: a test, a class of tests, or nothing. */
/* Names from modules beside this one are followed; others only where they look like tests. */
static bool is_near(struct collector *x, const struct binding *b)
{
    if (b->level)
        return true;
    struct str path = world_locate(x->w, x->m, b->text);
    return path.n && path_under(path, path_dir(x->m->path));
}

static bool has_test_method(const struct class_info *c)
{
    for (uint32_t i = 0; i < c->n_mro; i++)
        for (size_t k = 0; k < c->mro[i]->scope->n; k++)
            if (str_starts(c->mro[i]->scope->items[k]->name, STR("test")) ||
                str_eq(c->mro[i]->scope->items[k]->name, STR("runTest")))
                return true;
    return false;
}

static void doubtful_class(struct collector *x, struct str name, struct class_info *c)
{
    if (x->n_classes == MAX_NESTING)
        return;
    x->classes[x->n_classes] = c;
    x->class_names[x->n_classes++] = name;
    collector_doubtful(x, STR(""), 0, c->doubt ? c->doubt : "a base class that cannot be followed", false);
    x->n_classes--;
}

static bool sounds_like_tests(struct str text)
{
    return str_contains(text, STR("Test")) || str_contains(text, STR("Case")) || str_contains(text, STR("Suite"));
}

/* What of any name may be a TestCase: Machine.TestCase, what a function returns that defines classes. */
static bool may_be_case(struct collector *x, const struct binding *b)
{
    struct str callee, args;
    if (sounds_like_tests(b->name) || sounds_like_tests(b->text))
        return true;
    if (!split_call(b->text, &callee, &args))
        return false;
    struct value f = scope_eval(x->w, b->scope, callee);
    const struct object *o = f.kind == VALUE_NAMED ? f.ref : NULL;
    return o && o->kind == OBJECT_BINDING && o->binding->kind == BIND_DEF &&
           o->module->stmts[o->binding->stmt].words & WORD_CLASS;
}

/* Names, attributes and calls: what is worth to be followed. */
static bool may_be_class(const struct binding *b)
{
    return b->text.n && !strchr("0123456789'\"([{-~", *b->text.p) && split_find(b->text, ' ') == b->text.n;
}

/* "cannot collect it because it is not a function", if it can be called. */
static void uncollected(struct collector *x, struct str name)
{
    struct test t = {.id = collector_id(x, name, STR(""), false), .function = name, .class = collector_class(x),
                     .doubt = "what may be called and is no function: a warning, which is an error here", .may_fail = true};
    x->add(x->ctx, &t);
}

static void collect_name(struct collector *x, struct binding *b)
{
    bool function_name = matches(&x->w->config->python_functions, b->name);
    bool class_name = matches(&x->w->config->python_classes, b->name);
    bool named = function_name || class_name || b->test_attr == 1;
    if (b->kind == BIND_MODULE || b->kind == BIND_OPAQUE) {
        if (b->kind == BIND_OPAQUE && function_name)
            collector_doubtful(x, b->name, 0, "a name that is bound to something computed", false);
        return;
    }
    if (b->kind == BIND_DEF) {
        const struct stmt *st = &b->scope->module->stmts[b->stmt];
        if (function_name || b->test_attr == 1)
            collector_function(x, b->name, b, b, st->text, st->line);
        return;
    }
    if (!named && !collector_is_normal(b->name))
        collector_doubtful(x, STR(""), 0, "a name that Unicode normalization may change", false);
    if (b->kind == BIND_FROM && !named && !sounds_like_tests(b->name) && !str_contains(b->text, STR("test")) && !is_near(x, b))
        return;
    if (b->kind == BIND_VALUE && !named && !may_be_class(b))
        return;
    struct binding *target = b->kind == BIND_CLASS ? b : binding_follow(x->w, b, true);
    if (target && target->kind == BIND_CLASS) {
        struct class_info *c = class_of(x->w, target);
        bool set;
        int on = class_test_attr(x->w, c, &set);
        if (c->unittest || class_name || (set && on == 1))
            collect_class(x, b->name, b, c);
        else if ((c->doubt && named) || on < 0)
            collector_doubtful(x, b->name, 0, c->doubt ? c->doubt : "__test__ is computed", false);
        else if (!c->bases_known && (b->kind == BIND_CLASS || has_test_method(c)))
            doubtful_class(x, b->name, c); /* it may be a TestCase */
        return;
    }
    if (target && function_name) {
        const struct stmt *st = &target->scope->module->stmts[target->stmt];
        collector_function(x, b->name, b, target, st->text, st->line);
        return;
    }
    if (!named) {
        if (!target && b->kind == BIND_VALUE && binding_value(x->w, b).kind == VALUE_UNKNOWN && may_be_case(x, b))
            collector_doubtful(x, b->name, 0, "it is assigned something that cannot be followed", false);
        return;
    }
    if (b->kind == BIND_VALUE && str_starts(b->text, STR("lambda")) && !b->rebound) {
        if (function_name)
            collector_function(x, b->name, b, NULL, b->text, 0);
        return;
    }
    struct value v = binding_value(x->w, b);
    bool partial = b->kind == BIND_VALUE && str_contains(b->text, STR("partial"));
    bool callable = partial || v.kind == VALUE_UNKNOWN || v.kind == VALUE_EXTERNAL ||
                    (v.kind == VALUE_NAMED && v.ref && ((const struct object *)v.ref)->kind == OBJECT_BINDING);
    if (callable)
        collector_doubtful(x, b->name, 0, "it is assigned something that cannot be followed", false);
    else if (v.kind == VALUE_PLAIN && function_name && x->w->config->uncollected_fail)
        uncollected(x, b->name);
}

static struct str loader_names(struct collector *x, struct class_info *c, struct strs *names)
{
    for (uint32_t i = 0; i < c->n_mro; i++)
        for (size_t k = 0; k < c->mro[i]->scope->n; k++) {
            struct binding *b = c->mro[i]->scope->items[k];
            if (!b->deleted && str_starts(b->name, STR("test")) && class_member(c, b->name) == b)
                strs_add(names, b->name);
        }
    strs_sort(names);
    strs_unique(names);
    (void)x;
    return STR("runTest");
}

static void collect_method(struct collector *x, struct class_info *c, struct str name)
{
    struct binding *b = class_member(c, name);
    if (b->kind == BIND_CLASS || b->kind == BIND_MODULE)
        return;
    struct binding *def = binding_follow(x->w, b, true);
    if (!def || def->kind != BIND_DEF) {
        struct value v = binding_value(x->w, b);
        if (v.kind == VALUE_UNKNOWN || v.kind == VALUE_EXTERNAL || v.kind == VALUE_NAMED)
            collector_doubtful(x, name, 0, "a method that is assigned", false);
        return;
    }
    collector_method(x, c, name, b, def);
}

static void collect_unittest(struct collector *x, struct class_info *c)
{
    struct strs names = {0};
    struct str fallback = loader_names(x, c, &names);
    if (!names.n && class_member(c, fallback))
        strs_add(&names, fallback);
    for (size_t i = 0; i < names.n; i++)
        collect_method(x, c, names.items[i]);
    strs_release(&names);
}

/* Members of the bases first; a name belongs to the class that is nearest. */
static void collect_members(struct collector *x, struct class_info *c)
{
    for (uint32_t i = c->n_mro; i > 0; i--) {
        struct scope *s = c->mro[i - 1]->scope;
        for (size_t k = 0; k < s->n; k++)
            if (!s->items[k]->deleted && class_member(c, s->items[k]->name) == s->items[k])
                collect_name(x, s->items[k]);
    }
}

static void push_fixtures(struct collector *x, struct scope *s)
{
    if (x->chain.n == 96)
        return;
    x->chain.scopes[x->chain.n++] = s;
    struct fixture_list *l = fixtures_of(x->w, s);
    for (uint32_t i = 0; i < l->n; i++)
        x->has_autouse = x->has_autouse || l->items[i].autouse;
}

/* Sets of instances are made (fixtures.py: parsefactories): an __eq__ of their own takes the hash away. */
static bool may_be_unhashable(const struct class_info *c)
{
    for (uint32_t i = 0; i < c->n_mro; i++) {
        const struct binding *b = c->mro[i]->class;
        if (scope_get(c->mro[i]->scope, STR("__eq__")))
            return true;
        for (uint32_t k = b->decorators; k < b->stmt; k++)
            if (str_contains(b->scope->module->stmts[k].text, STR("dataclass")))
                return true;
    }
    return false;
}

static void collect_class(struct collector *x, struct str name, struct binding *b, struct class_info *c)
{
    if (x->n_classes == MAX_NESTING)
        return;
    if (class_is_abstract(x->w, c)) { /* before pytest 8 an error: it is instantiated */
        if (x->w->config->pytest < 800)
            collector_doubtful(x, name, c->class->scope->module->stmts[c->class->stmt].line, "an abstract class", true);
        return;
    }
    uint32_t line = c->class->scope->module->stmts[c->class->stmt].line, before = x->chain.n;
    uint32_t generators = x->n_generate;
    bool autouse = x->has_autouse;
    int on = class_test_attr(x->w, c, NULL);
    x->classes[x->n_classes] = c;
    x->class_names[x->n_classes++] = collector_normalize(x->w, name);
    if (on != 0 && !(c->makes_init && !c->unittest && !c->doubt)) {
        const char *why = c->doubt ? c->doubt : b->maybe ? "a class that is defined conditionally" : NULL;
        if (on < 0)
            why = "__test__ is computed";
        if (!why && x->w->config->pytest < 902 && !c->unittest && may_be_unhashable(c))
            why = "instances that cannot be hashed, perhaps: this pytest fails to collect them";
        if (why)
            collector_doubtful(x, STR(""), line, why, false);
        for (uint32_t i = c->n_mro; i > 0; i--)
            push_fixtures(x, c->mro[i - 1]->scope);
        struct binding *hook = class_member(c, STR("pytest_generate_tests"));
        if (hook && x->n_generate < 96)
            x->generate[x->n_generate++] = hook;
        const struct tests_options *o = x->o;
        struct tests_options doubtful = *o;
        if (why) {
            doubtful.doubt = why;
            x->o = &doubtful;
        }
        if (c->unittest)
            collect_unittest(x, c);
        else
            collect_members(x, c);
        x->o = o;
    }
    if (on == 1 && c->makes_init && !c->unittest && !c->doubt && x->w->config->uncollected_fail)
        collector_doubtful(x, STR(""), line, "a class with a constructor: a warning, which is an error here", true);
    x->n_classes--;
    x->chain.n = before;
    x->n_generate = generators;
    x->has_autouse = autouse;
}

/* ---- the module ---- */

static void add_chain(struct collector *x, struct module *m);

/* pytest_plugins = "name" or a list of names: their fixtures are the module's too. */
static void add_named_plugins(struct collector *x, struct module *m, struct tests_options *o)
{
    struct binding *b = scope_get(&m->scope, STR("pytest_plugins"));
    struct value v = {0}, *names = &v;
    if (!b)
        return;
    v = binding_value(x->w, b);
    uint32_t n = 1;
    if (v.kind == VALUE_LIST || v.kind == VALUE_TUPLE) {
        names = v.items;
        n = v.n_items;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct str name = names[i].text;
        if (names[i].kind == VALUE_STR && (str_eq(name, STR("pytester")) || str_starts(name, STR("_pytest"))))
            continue;
        struct module *plugin = names[i].kind == VALUE_STR ? world_import(x->w, m, name, 0, true) : NULL;
        if (plugin)
            add_chain(x, plugin);
        else if (!o->doubt)
            o->doubt = "pytest_plugins names what cannot be followed";
    }
}

static void add_chain(struct collector *x, struct module *m)
{
    push_fixtures(x, &m->scope);
    struct binding *hook = scope_get(&m->scope, STR("pytest_generate_tests"));
    if (hook && x->n_generate < 96)
        x->generate[x->n_generate++] = hook;
}

/* The packages around a module, which are imported before it: the first that fails, NULL for none. */
static struct module *failing_package(struct collector *x, struct str path)
{
    struct str dirs[64];
    size_t n = 0;
    for (struct str dir = path_dir(path); n < 64 && dir.n > 1 && dirs_open(&x->w->dirs, dir)->package; dir = path_dir(dir))
        dirs[n++] = dir;
    while (n > 0) {
        struct module *m = world_module(x->w, world_join(x->w, dirs[--n], "/", STR("__init__.py")));
        if (m && (m->import_fails || m->error_line || m->skipped || m->may_skip))
            return m;
    }
    return NULL;
}

void tests_collect(struct world *w, struct str path, const struct tests_options *o,
                   void (*add)(void *ctx, const struct test *t), void *ctx)
{
    struct collector x = {.w = w, .o = o, .add = add, .ctx = ctx};
    x.ids = (struct ids_config){.pytest = w->config->pytest, .no_escape = w->config->no_escape_ids,
                                .long_str = w->config->long_str_ids, .empty_mark = w->config->empty_mark,
                                .strict = w->config->strict_parametrization_ids};
    for (size_t i = 0; o->conftests && i < o->conftests->n; i++)
        world_module(w, o->conftests->items[i]); /* pytest imports them first */
    for (size_t i = 0; o->plugins && i < o->plugins->n; i++) {
        struct module *plugin = world_module(w, o->plugins->items[i]);
        if (plugin)
            add_chain(&x, plugin);
    }
    struct module *package = failing_package(&x, path);
    x.m = world_module(w, path);
    if (!x.m || x.m->error_line) {
        collector_doubtful(&x, STR(""), x.m ? x.m->error_line : 0, x.m ? "a syntax error" : "it cannot be read", true);
        return;
    }
    if (x.m->skipped)
        return;
    struct binding *on = scope_get(&x.m->scope, STR("__test__"));
    struct value v = {.kind = VALUE_BOOL, .i = 1};
    if (on)
        v = binding_value(w, on);
    if (value_truth(&v) == 0)
        return;
    struct tests_options doubtful = *o;
    if (!doubtful.doubt)
        doubtful.doubt = x.m->scope.doubt;
    if (value_truth(&v) < 0)
        doubtful.doubt = "__test__ is computed";
    if (!doubtful.doubt)
        doubtful.doubt = registered_doubt(w, x.m, o->conftests);
    if (package && !doubtful.doubt)
        doubtful.doubt = "a package around it that may not be imported";
    x.o = &doubtful;
    if (doubtful.doubt)
        collector_doubtful(&x, STR(""), 0, doubtful.doubt, false);
    for (size_t i = 0; o->conftests && i < o->conftests->n; i++) {
        struct module *m = world_module(w, o->conftests->items[i]);
        if (!m)
            continue;
        add_named_plugins(&x, m, &doubtful);
        add_chain(&x, m);
    }
    add_named_plugins(&x, x.m, &doubtful);
    add_chain(&x, x.m);
    for (size_t i = 0; i < x.m->mutated.n; i++) /* global test_x in a function */
        if (!scope_get(&x.m->scope, x.m->mutated.items[i]) &&
            matches(&w->config->python_functions, x.m->mutated.items[i]))
            collector_doubtful(&x, STR(""), 0, "a function binds names of the module", false);
    marks_of_scope(w, &x.m->scope, &x.module_marks);
    for (size_t i = 0; i < x.m->scope.n; i++)
        if (!x.m->scope.items[i]->deleted)
            collect_name(&x, x.m->scope.items[i]);
    free(x.module_marks.items);
}
