#include "generator/eval/classes.h"

#include "generator/source/split.h"

#include <string.h>

enum effect { PLAIN, UNITTEST, ASYNC_CASE, ABSTRACT, PROTOCOL, INIT };

/* Bases from outside whose effect is known (Python 3.8 to 3.14). */
static const struct { const char *name; enum effect effect; } bases[] = {
    {"object", PLAIN},
    {"builtins.object", PLAIN},
    {"typing.Generic", PLAIN},
    {"abc.ABC", ABSTRACT},
    {"typing.Protocol", PROTOCOL},
    {"typing_extensions.Protocol", PROTOCOL},
    {"unittest.TestCase", UNITTEST},
    {"unittest.case.TestCase", UNITTEST},
    {"unittest.IsolatedAsyncioTestCase", ASYNC_CASE},
    {"unittest.async_case.IsolatedAsyncioTestCase", ASYNC_CASE},
    {"enum.Enum", INIT}, {"enum.IntEnum", INIT}, {"enum.StrEnum", INIT}, {"enum.Flag", INIT},
    {"enum.IntFlag", INIT}, {"typing.NamedTuple", INIT}, {"typing.TypedDict", INIT}, {"collections.namedtuple", INIT},
    {"collections.defaultdict", INIT}, {"collections.deque", INIT}, {"collections.OrderedDict", INIT},
    {"collections.Counter", INIT},
};

/* Class decorators that leave the members alone; INIT: they make an __init__. */
static const struct { const char *name; enum effect effect; } decorators[] = {
    {"dataclasses.dataclass", INIT}, {"attr.s", INIT}, {"attr.attrs", INIT}, {"attr.define", INIT},
    {"attr.frozen", INIT}, {"attr.mutable", INIT}, {"attrs.define", INIT}, {"attrs.frozen", INIT},
    {"attrs.mutable", INIT}, {"functools.total_ordering", PLAIN}, {"typing.final", PLAIN},
    {"typing.runtime_checkable", PLAIN}, {"enum.unique", PLAIN}, {"unittest.skip", PLAIN},
    {"unittest.skipIf", PLAIN}, {"unittest.skipUnless", PLAIN}, {"unittest.mock.patch", PLAIN},
    {"unittest.mock.patch.object", PLAIN}, {"unittest.mock.patch.dict", PLAIN},
};

static void apply(struct class_info *c, enum effect e)
{
    switch (e) {
    case PLAIN:
        break;
    case ASYNC_CASE:
        c->async_case = c->unittest = true;
        break;
    case UNITTEST:
        c->unittest = true;
        break;
    case ABSTRACT:
        c->abstract = true; /* it may be: see find_abstract */
        break;
    case PROTOCOL: /* its __init__ is replaced by one that refuses, which other classes inherit */
        c->abstract = c->makes_init = true;
        break;
    case INIT:
        c->makes_init = true;
        break;
    }
}

static void doubt(struct class_info *c, const char *why)
{
    if (!c->doubt)
        c->doubt = why;
}

/* Generic[T] is Generic here. */
static struct str without_subscript(struct str s)
{
    size_t open = split_find(s, '[');
    return open > 0 && open < s.n && s.p[s.n - 1] == ']' ? str_trim(str_slice(s, 0, open)) : s;
}

static bool known_base(struct class_info *c, struct str name)
{
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        if (str_eq(name, str_z(bases[i].name))) {
            apply(c, bases[i].effect);
            c->value_base = c->value_base || bases[i].effect == INIT;
            return true;
        }
    return false;
}

static void add_base(struct world *w, struct class_info *c, struct str text, struct class_info **known,
                     uint32_t *n)
{
    struct value v = scope_eval(w, c->class->scope, without_subscript(text));
    if ((v.kind == VALUE_EXTERNAL || (v.kind == VALUE_NAMED && !v.ref)) && known_base(c, v.text))
        return;
    if (v.kind == VALUE_NAMED && !v.ref) { /* a builtin: int has __new__, dict has __init__ */
        c->makes_init = c->value_base = true;
        return;
    }
    struct class_info *base = class_of(w, value_class(w, &v));
    if (!base || base == c || !base->n_mro || *n == CLASS_MAX_MRO) {
        doubt(c, "a base class that cannot be followed");
        c->bases_known = false;
        return;
    }
    known[(*n)++] = base;
    if (base->doubt)
        doubt(c, base->doubt);
    c->bases_known = c->bases_known && base->bases_known;
    c->unittest = c->unittest || base->unittest;
    c->async_case = c->async_case || base->async_case;
    c->makes_init = c->makes_init || base->makes_init;
    c->value_base = c->value_base || base->value_base;
    c->abstract = c->abstract || base->abstract;
}

static void read_bases(struct world *w, struct class_info *c, struct class_info **known, uint32_t *n)
{
    struct str callee, args, part;
    const struct module *m = c->class->scope->module;
    if (!split_call(m->stmts[c->class->stmt].text, &callee, &args))
        return;
    while (split_next(&args, &part)) {
        size_t eq = split_find(part, '=');
        if (eq >= part.n) {
            if (part.n && *part.p == '*')
                doubt(c, "base classes that are computed"), c->bases_known = false;
            else if (part.n)
                add_base(w, c, part, known, n);
            continue;
        }
        struct value v = scope_eval(w, c->class->scope, str_trim(str_slice(part, eq + 1, part.n)));
        if (str_eq(str_trim(str_slice(part, 0, eq)), STR("metaclass")) && v.kind == VALUE_EXTERNAL &&
            str_eq(v.text, STR("abc.ABCMeta")))
            c->abstract = true;
        else
            doubt(c, "a metaclass"), c->bases_known = false;
    }
}

static void read_decorators(struct world *w, struct class_info *c)
{
    struct binding *b = c->class;
    for (uint32_t i = b->decorators; i < b->stmt; i++) {
        const struct stmt *st = &b->scope->module->stmts[i];
        struct str callee, args = STR("");
        if (st->kind != STMT_DECORATOR)
            continue;
        split_call(st->text, &callee, &args);
        struct value v = scope_eval(w, b->scope, callee);
        bool known = v.kind == VALUE_MARK;
        for (size_t k = 0; !known && v.kind == VALUE_EXTERNAL && k < sizeof decorators / sizeof *decorators; k++)
            if (str_eq(v.text, str_z(decorators[k].name))) {
                known = true;
                if (!str_contains(args, STR("init=False")))
                    apply(c, decorators[k].effect);
            }
        if (!known)
            doubt(c, "a class decorator");
    }
}

/* ---- the method resolution order: C3 ---- */

struct merge { struct class_info **items; uint32_t n, at; };

static bool in_tail(const struct merge *lists, uint32_t n, const struct class_info *c)
{
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = lists[i].at + 1; k < lists[i].n; k++)
            if (lists[i].items[k] == c)
                return true;
    return false;
}

static bool merge_next(struct class_info *c, struct merge *lists, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (lists[i].at == lists[i].n)
            continue;
        struct class_info *head = lists[i].items[lists[i].at];
        if (in_tail(lists, n, head) || c->n_mro == CLASS_MAX_MRO)
            continue;
        c->mro[c->n_mro++] = head;
        for (uint32_t k = 0; k < n; k++)
            if (lists[k].at < lists[k].n && lists[k].items[lists[k].at] == head)
                lists[k].at++;
        return true;
    }
    return false;
}

static void linearize(struct world *w, struct class_info *c, struct class_info **known, uint32_t n)
{
    struct merge lists[CLASS_MAX_MRO + 1];
    c->mro = arena_array(&w->arena, CLASS_MAX_MRO, sizeof(struct class_info *));
    c->mro[c->n_mro++] = c;
    for (uint32_t i = 0; i < n; i++)
        lists[i] = (struct merge){known[i]->mro, known[i]->n_mro, 0};
    lists[n] = (struct merge){known, n, 0};
    while (merge_next(c, lists, n + 1))
        ;
    for (uint32_t i = 0; i <= n; i++)
        if (lists[i].at < lists[i].n)
            doubt(c, "an inconsistent method resolution order");
}

/* ---- members ---- */

struct binding *class_member(const struct class_info *c, struct str name)
{
    for (uint32_t i = 0; i < c->n_mro; i++) {
        struct binding *b = scope_get(c->mro[i]->scope, name);
        if (b)
            return b;
    }
    return NULL;
}

static bool is_abstract_method(struct world *w, const struct binding *b)
{
    for (uint32_t i = b->decorators; b->kind == BIND_DEF && i < b->stmt; i++) {
        const struct stmt *st = &b->scope->module->stmts[i];
        struct value v = {0};
        if (st->kind == STMT_DECORATOR)
            v = scope_eval(w, b->scope, st->text);
        if (v.kind == VALUE_EXTERNAL && str_starts(v.text, STR("abc.abstract")))
            return true;
    }
    return false;
}

/* inspect.isabstract: the metaclass is ABCMeta, and a method is still abstract. */
static bool find_abstract(struct world *w, const struct class_info *c)
{
    for (uint32_t i = 0; i < c->n_mro; i++)
        for (size_t k = 0; k < c->mro[i]->scope->n; k++) {
            struct binding *b = c->mro[i]->scope->items[k];
            if (!b->deleted && is_abstract_method(w, b) && class_member(c, b->name) == b)
                return true;
        }
    return false;
}

int class_test_attr(struct world *w, const struct class_info *c, bool *set)
{
    for (uint32_t i = 0; i < c->n_mro; i++) {
        if (c->mro[i]->class->test_attr) {
            if (set)
                *set = true;
            return c->mro[i]->class->test_attr == 1 ? 1 : c->mro[i]->class->test_attr == 2 ? 0 : -1;
        }
        struct binding *b = scope_get(c->mro[i]->scope, STR("__test__"));
        if (b) {
            struct value v = binding_value(w, b);
            if (set)
                *set = true;
            return value_truth(&v);
        }
    }
    if (set)
        *set = false;
    return 1;
}

struct class_info *class_of(struct world *w, struct binding *class)
{
    if (!class || class->kind != BIND_CLASS)
        return NULL;
    if (class->info)
        return class->info;
    struct class_info *known[CLASS_MAX_MRO], *c = arena_alloc(&w->arena, sizeof *c);
    uint32_t n = 0;
    class->info = c;
    c->class = class;
    c->bases_known = !class->maybe;
    if (w->evaluations >= 60) { /* bases of bases of bases */
        doubt(c, "base classes too deep to follow");
        c->bases_known = false;
        c->scope = arena_alloc(&w->arena, sizeof *c->scope);
        return c;
    }
    w->evaluations++;
    c->scope = world_class_scope(w, class);
    if (class->patched)
        doubt(c, "attributes of the class are assigned later");
    if (class->maybe)
        doubt(c, "a class that is defined conditionally");
    if (c->scope->doubt)
        doubt(c, c->scope->doubt);
    read_bases(w, c, known, &n);
    read_decorators(w, c);
    linearize(w, c, known, n);
    for (size_t i = 0; i < c->scope->n; i++) {
        struct str name = c->scope->items[i]->name;
        bool objects = str_starts(c->scope->items[i]->text, STR("object.__")); /* object's own */
        if (str_eq(name, STR("__init__")) || str_eq(name, STR("__new__")))
            c->makes_init = !objects;
    }
    w->evaluations--;
    return c;
}

bool class_is_abstract(struct world *w, struct class_info *c)
{
    return c->abstract && find_abstract(w, c);
}
