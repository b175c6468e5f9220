#include "generator/eval/module.h"

#include "generator/eval/classes.h"
#include "generator/eval/expr.h"
#include "generator/eval/scope.h"
#include "generator/source/lines.h"
#include "generator/source/split.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 32, MAX_EVALUATIONS = 64 };

static struct value object_value(struct world *w, struct module *m, struct binding *b)
{
    struct object *o = arena_alloc(&w->arena, sizeof *o);
    *o = (struct object){b ? OBJECT_BINDING : OBJECT_MODULE, m, b};
    return (struct value){.kind = VALUE_NAMED, .text = b ? b->name : m->name, .ref = o};
}

static struct value external(struct world *w, struct str dotted, struct str name)
{
    return (struct value){.kind = VALUE_EXTERNAL, .text = name.n ? world_join(w, dotted, ".", name) : dotted};
}

/* What of decorators leaves the object's __name__ as it is. */
static bool keeps_name(struct world *w, struct binding *b)
{
    for (uint32_t i = b->decorators; i < b->stmt; i++) {
        struct str callee, args;
        const struct stmt *st = &b->scope->module->stmts[i];
        if (st->kind != STMT_DECORATOR)
            continue;
        split_call(st->text, &callee, &args);
        struct value v = scope_eval(w, b->scope, callee);
        const struct object *o = v.kind == VALUE_NAMED ? v.ref : NULL;
        bool returned = o && o->kind == OBJECT_BINDING && o->binding->kind == BIND_DEF && callee.n == st->text.n &&
                        o->module->stmts[o->binding->stmt].words & WORD_RETURNS;
        if (v.kind == VALUE_MARK || returned)
            continue;
        if (v.kind == VALUE_EXTERNAL && b->kind == BIND_CLASS &&
            (str_eq(v.text, STR("dataclasses.dataclass")) || str_eq(v.text, STR("functools.total_ordering")) ||
             str_eq(v.text, STR("enum.unique")) || str_eq(v.text, STR("typing.runtime_checkable")) ||
             str_starts(v.text, STR("attr"))))
            continue;
        return false;
    }
    return true;
}

static struct value module_attribute(struct world *w, struct module *m, struct str name)
{
    struct binding *b = m->ready ? scope_get(&m->scope, name) : NULL;
    if (b)
        return binding_value(w, b);
    struct module *sub = m->is_package ? world_import(w, m, name, 1, false) : NULL;
    return sub ? object_value(w, sub, NULL) : (struct value){0};
}

static struct value import_value(struct world *w, struct binding *b)
{
    struct module *from = b->scope->module;
    if (b->kind == BIND_MODULE) {
        struct module *m = world_import(w, from, b->text, 0, false);
        struct value v = m ? object_value(w, m, NULL) : external(w, b->text, STR(""));
        v.called = v.kind == VALUE_EXTERNAL; /* a module, certainly */
        return v;
    }
    struct module *m = world_import(w, from, b->text, b->level, false);
    if (m)
        return module_attribute(w, m, b->from_name);
    if (b->level == 0)
        return external(w, b->text, b->from_name);
    struct str dotted = b->text.n ? world_join(w, b->text, ".", b->from_name) : b->from_name;
    m = world_import(w, from, dotted, b->level, false);
    return m ? object_value(w, m, NULL) : (struct value){0};
}

static bool is_mutable(const struct value *v)
{
    return v->kind == VALUE_LIST || v->kind == VALUE_DICT || v->kind == VALUE_SET;
}

static struct value compute(struct world *w, struct binding *b)
{
    struct value v = {0};
    if (b->maybe || (b->rebound && b->kind != BIND_DEF && b->kind != BIND_CLASS))
        return v;
    switch (b->kind) {
    case BIND_OPAQUE:
        break;
    case BIND_VALUE:
        if (b->text.n) {
            uint32_t line = w->line;
            w->line = b->line;
            v = scope_eval(w, b->scope, b->text);
            w->line = line;
        }
        if (b->mutated && (is_mutable(&v) || v.kind == VALUE_TUPLE))
            v = (struct value){0};
        break;
    case BIND_DEF:
    case BIND_CLASS:
        if (!b->patched && keeps_name(w, b))
            v = object_value(w, b->scope->module, b);
        break;
    case BIND_MODULE:
    case BIND_FROM:
        v = import_value(w, b);
        if (b->mutated && is_mutable(&v))
            v = (struct value){0};
        break;
    }
    return v;
}

void binding_set(struct world *w, struct binding *b, const struct value *v)
{
    struct value *kept = arena_alloc(&w->arena, sizeof *kept);
    *kept = *v;
    b->value = kept;
    b->state = 2;
}

struct value binding_value(struct world *w, struct binding *b)
{
    if (b->state == 0 && w->evaluations < MAX_EVALUATIONS) {
        b->state = 1;
        w->evaluations++;
        struct value v = compute(w, b);
        w->evaluations--;
        binding_set(w, b, &v);
    }
    return b->state == 2 ? *b->value : (struct value){0};
}

struct binding *binding_follow(struct world *w, struct binding *b, bool outside)
{
    for (int i = 0; b && i < MAX_STEPS; i++) {
        if (b->maybe)
            return NULL;
        if (b->kind == BIND_DEF || b->kind == BIND_CLASS)
            return b;
        if (b->kind == BIND_FROM) {
            struct module *m = world_import(w, b->scope->module, b->text, b->level, outside);
            b = m && m->ready && !b->rebound ? scope_get(&m->scope, b->from_name) : NULL;
        } else if (b->kind == BIND_VALUE && !b->rebound && scope_get(b->scope, b->text)) {
            b = scope_get(b->scope, b->text); /* name = other_name */
        } else if (b->kind == BIND_VALUE && !b->rebound) {
            struct value v = scope_eval(w, b->scope, b->text);
            const struct object *o = v.kind == VALUE_NAMED ? v.ref : NULL;
            return o && o->kind == OBJECT_BINDING ? o->binding : NULL;
        } else {
            return NULL;
        }
    }
    return NULL;
}

/* An installed class by its qualified name: the longest prefix that is a module, then attributes. */
static struct binding *external_class(struct world *w, struct str qualified)
{
    size_t dot = str_rchr(qualified, '.');
    if (dot == qualified.n)
        return NULL;
    struct module *m = world_import(w, &world_nowhere, str_slice(qualified, 0, dot), 0, true);
    struct binding *b = m && m->ready ? scope_get(&m->scope, str_slice(qualified, dot + 1, qualified.n)) : NULL;
    return b ? binding_follow(w, b, true) : NULL;
}

struct binding *value_class(struct world *w, const struct value *v)
{
    struct binding *b = NULL;
    if (v->kind == VALUE_NAMED && v->ref) {
        const struct object *o = v->ref;
        b = o->kind == OBJECT_BINDING ? o->binding : NULL;
    } else if (v->kind == VALUE_EXTERNAL) {
        b = external_class(w, v->text);
    }
    return b && b->kind == BIND_CLASS ? b : NULL;
}

/* ---- what expressions ask for ---- */

/* The value of an installed module's name, where it is a plain one: for conditions. */
static struct value installed_value(struct world *w, struct str qualified)
{
    struct value v = {0};
    size_t dot = str_rchr(qualified, '.');
    if (dot == qualified.n || str_starts(qualified, STR("pytest.")) || w->depth > 8)
        return v;
    struct module *m = world_import(w, &world_nowhere, str_slice(qualified, 0, dot), 0, true);
    struct binding *b = m && m->ready ? scope_get(&m->scope, str_slice(qualified, dot + 1, qualified.n)) : NULL;
    if (b)
        v = binding_value(w, b);
    return v.kind == VALUE_NAMED || v.kind == VALUE_EXTERNAL ? (struct value){0} : v;
}

struct asking {
    struct world *w;
    struct scope *s;
};

static enum expr_name ask_name(void *ctx, struct str name, struct value *out)
{
    struct asking *a = ctx;
    struct binding *b = scope_get(a->s, name);
    if (!b && a->s->owner)
        b = scope_get(&a->s->module->scope, name);
    if (!b && a->s->module->scope.outer)
        b = scope_get(a->s->module->scope.outer, name);
    if (b) {
        *out = binding_value(a->w, b);
        if (b->grown_line && b->grown_line > a->w->line) /* a copy of it would be shorter than it is in the end */
            *out = (struct value){0};
        if (out->kind == VALUE_EXTERNAL && a->w->into_installed && str_chr(out->text, '.') < out->text.n) {
            struct value v = installed_value(a->w, out->text);
            if (v.kind != VALUE_UNKNOWN)
                *out = v;
        }
        return EXPR_BOUND;
    }
    if (str_eq(name, STR("__name__")))
        *out = (struct value){.kind = VALUE_STR, .text = a->s->module->name};
    else if (str_eq(name, STR("__file__")))
        *out = (struct value){.kind = VALUE_STR, .text = a->s->module->path};
    else if (!a->s->module->scope.doubt)
        return EXPR_ABSENT;
    return EXPR_BOUND;
}

static bool is_enum(struct world *w, struct binding *class)
{
    const struct stmt *st = &class->scope->module->stmts[class->stmt];
    struct str callee, args;
    if (!split_call(st->text, &callee, &args))
        return false;
    struct value base = scope_eval(w, class->scope, str_trim(args));
    return base.kind == VALUE_EXTERNAL && str_eq(base.text, STR("enum.Enum"));
}

/* @staticmethod or @classmethod alone: what one gets has the function's name. */
static bool is_method_kind(struct world *w, struct binding *b)
{
    const struct module *m = b->scope->module;
    if (b->stmt != b->decorators + 1)
        return false;
    struct value v = scope_eval(w, b->scope, m->stmts[b->decorators].text);
    return v.kind == VALUE_NAMED && !v.ref && (str_eq(v.text, STR("staticmethod")) || str_eq(v.text, STR("classmethod")));
}

static void class_attribute(struct world *w, struct binding *class, struct str name, struct value *out)
{
    const struct module *m = class->scope->module;
    bool enumeration = is_enum(w, class);
    for (uint32_t i = class->stmt + 1; i < m->n_stmts && m->stmts[i].depth > m->stmts[class->stmt].depth; i++) {
        struct split_assignment a;
        const struct stmt *st = &m->stmts[i];
        if (st->kind != STMT_SIMPLE)
            enumeration = false; /* a __str__ would say something else */
        if (enumeration && split_assignment(st->text, &a) && a.n_targets == 1 && str_eq(a.targets[0], name))
            *out = (struct value){.kind = VALUE_ENUM, .text = world_join(w, class->name, ".", name)};
    }
    if (!enumeration)
        *out = (struct value){0};
    struct class_info *c = enumeration ? NULL : class_of(w, class);
    struct binding *b = c && !c->doubt ? class_member(c, name) : NULL;
    if (b && b->kind == BIND_DEF && !b->maybe && !b->patched && (b->decorators == b->stmt || is_method_kind(w, b)))
        *out = (struct value){.kind = VALUE_NAMED, .text = name};
    else if (b && b->kind == BIND_CLASS)
        *out = binding_value(w, b);
}

static void ask_attribute(void *ctx, const struct value *object, struct str name, struct value *out)
{
    struct asking *a = ctx;
    const struct object *o = object->ref;
    if (str_eq(name, STR("__name__")))
        *out = (struct value){.kind = VALUE_STR, .text = object->text};
    else if (o->kind == OBJECT_MODULE)
        *out = module_attribute(a->w, o->module, name);
    else if (o->binding->kind == BIND_CLASS)
        class_attribute(a->w, o->binding, name, out);
}

static struct value number(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .i = i};
}

static void version_info(struct world *w, struct value *out)
{
    const struct interp *p = &w->config->interp;
    struct value *items = arena_array(&w->arena, 5, sizeof *items);
    items[0] = number(p->major);
    items[1] = number(p->minor);
    if (p->micro >= 0)
        items[2] = number(p->micro);
    *out = (struct value){.kind = VALUE_TUPLE, .items = items, .n_items = 5};
}

static void ask_external(void *ctx, struct str name, struct value *out)
{
    struct asking *a = ctx;
    static const struct { const char *name, *text; } texts[] = {
#ifdef __APPLE__
        {"sys.platform", "darwin"},
#else
        {"sys.platform", "linux"},
#endif
        {"os.name", "posix"}, {"os.sep", "/"}, {"os.path.sep", "/"}, {"sys.byteorder", "little"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (str_eq(name, str_z(texts[i].name)))
            *out = (struct value){.kind = VALUE_STR, .text = str_z(texts[i].text)};
    if (str_eq(name, STR("sys.version_info")))
        version_info(a->w, out);
    else if (str_eq(name, STR("sys.version_info.major")))
        *out = number(a->w->config->interp.major);
    else if (str_eq(name, STR("sys.version_info.minor")))
        *out = number(a->w->config->interp.minor);
    else if (str_eq(name, STR("pickle.HIGHEST_PROTOCOL")))
        *out = number(5); /* CPython 3.8 to 3.14 */
    else if (str_eq(name, STR("sys.maxsize")))
        *out = number(INT64_MAX);
    else if (str_eq(name, STR("typing.TYPE_CHECKING")))
        *out = (struct value){.kind = VALUE_BOOL};
    uintptr_t *override = map_get(&a->w->overrides, name);
    if (override)
        *out = *(const struct value *)*override;
    else if (out->kind == VALUE_UNKNOWN && a->w->into_installed)
        *out = installed_value(a->w, name);
}

/* getattr(module, "name", default): what a conftest has assigned. */
static void ask_getattr(struct world *w, const struct value *call, struct value *out)
{
    if (call->items[1].kind != VALUE_STR)
        return;
    uintptr_t *override = map_get(&w->overrides, world_join(w, call->items[0].text, ".", call->items[1].text));
    if (override)
        *out = *(const struct value *)*override;
}

/* A function that only returns an expression: that, with the arguments for its parameters. */
static void call_function(struct world *w, struct binding *f, const struct value *call, struct value *out)
{
    struct module *m = f->scope->module, body = {.path = m->path, .name = m->name, .ready = true};
    const struct stmt *st = f->stmt + 1 < m->n_stmts ? &m->stmts[f->stmt + 1] : NULL;
    struct str header = m->stmts[f->stmt].text, expression, part;
    uint32_t position = 0;
    bool known = st && st->kind == STMT_BODY && w->evaluations < MAX_EVALUATIONS && !str_starts(header, STR("async"));
    expression = known ? stmts_returned(st->text) : STR("");
    struct str rest = str_slice(header, str_chr(header, '(') + 1, str_rchr(header, ')'));
    body.scope.module = &body;
    body.scope.outer = &m->scope;
    while (expression.n && split_next(&rest, &part)) {
        size_t eq = split_find(part, '='), colon = split_find(part, ':');
        struct str name = str_trim(str_slice(part, 0, colon < eq ? colon : eq));
        const struct value *given = value_keyword(call, name);
        if (!name.n || *name.p == '*' || *name.p == '/')
            expression = STR("");
        if (!given && position < call->n_items)
            given = &call->items[position++];
        struct binding *b = scope_bind(w, &body.scope, name, BIND_VALUE, false);
        struct value v = {0};
        if (given)
            v = *given;
        else if (eq < part.n)
            v = scope_eval(w, &m->scope, str_trim(str_slice(part, eq + 1, part.n)));
        binding_set(w, b, &v);
    }
    if (expression.n && !rest.n) {
        w->evaluations++;
        *out = scope_eval(w, &body.scope, expression);
        w->evaluations--;
    }
    free(body.scope.items);
    map_release(&body.scope.names);
}

/* An instance of a class of the project: it has no __name__ where nothing in its bases could give it one,
 * and is no string or number where all bases are known. (A __new__ that returns something else is not
 * thought of.) */
static void ask_call(void *ctx, const struct value *function, const struct value *call, struct value *out)
{
    struct asking *a = ctx;
    const struct object *o = function->ref;
    if (!o && function->kind == VALUE_NAMED) {
        ask_getattr(a->w, call, out);
        return;
    }
    if (function->kind == VALUE_EXTERNAL) {
        if (a->w->external_call)
            a->w->external_call(a->w->external_ctx, function->text, call, out);
        return;
    }
    if (o->kind == OBJECT_BINDING && o->binding->kind == BIND_DEF) {
        call_function(a->w, o->binding, call, out);
        return;
    }
    struct binding *class = o->kind == OBJECT_BINDING && o->binding->kind == BIND_CLASS ? o->binding : NULL;
    struct class_info *c = class ? class_of(a->w, class) : NULL;
    if (!c || !c->bases_known || c->value_base)
        return;
    for (uint32_t i = 0; i < c->n_mro; i++)
        if (scope_get(c->mro[i]->scope, STR("__name__")) || scope_get(c->mro[i]->scope, STR("__getattr__")) ||
            scope_get(c->mro[i]->scope, STR("__getattribute__")))
            return;
    *out = (struct value){.kind = VALUE_PLAIN};
}

static struct expr_env environment(struct asking *a)
{
    return (struct expr_env){.ctx = a, .arena = &a->w->arena, .name = ask_name, .attribute = ask_attribute,
                             .external = ask_external, .call = ask_call};
}

struct value scope_eval(struct world *w, struct scope *s, struct str text)
{
    struct asking a = {w, s};
    struct expr_env env = environment(&a);
    return expr_eval(&env, text);
}

struct value scope_arguments(struct world *w, struct scope *s, struct str text)
{
    struct asking a = {w, s};
    struct expr_env env = environment(&a);
    return expr_arguments(&env, text);
}
