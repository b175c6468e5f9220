#include "generator/collect/tests_collect.h"

#include "generator/source/lines.h"
#include "generator/source/split.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TESTS_EACH = 200000 };

/* One function while its ids are made. */
struct function {
    struct collector *x;
    struct test t;                   /* what all its tests have in common */
    struct decoration d;
    struct mark_list marks;
    bool coroutine, imported;        /* imported: from another module */
    struct str *args;
    uint32_t n_args;
    struct ids_list sets[32];        /* parametrizations, in pytest's order */
    enum fixture_scope scopes[32];
    uint32_t n_sets;
};

/* Python compares names after NFKC; what this does not cover makes a name inexact. */
bool collector_is_normal(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c < 0x80)
            continue;
        bool latin = c >= 0xc3 && c <= 0xc4 && !(c == 0xc4 && i + 1 < name.n && (unsigned char)name.p[i + 1] >= 0xb2);
        bool greek = c >= 0xce && c <= 0xcf && !(c == 0xcf && i + 1 < name.n && (unsigned char)name.p[i + 1] >= 0x90);
        bool cyrillic = c >= 0xd0 && c <= 0xd1, cjk = c >= 0xe4 && c <= 0xe9;
        if (!latin && !greek && !cyrillic && !cjk)
            return false;
        i += c >= 0xe0 ? 2 : 1;
    }
    return true;
}

/* The ligatures of U+FB00 to U+FB06, which NFKC spells out. */
struct str collector_normalize(struct world *w, struct str name)
{
    static const char *const spelled[] = {"ff", "fi", "fl", "ffi", "ffl", "st", "st"};
    struct buf b = {0};
    bool changed = false;
    if (str_chr(name, '\xef') == name.n)
        return name;
    for (size_t i = 0; i < name.n; i++) {
        const unsigned char *p = (const unsigned char *)name.p + i;
        if (i + 2 < name.n && p[0] == 0xef && p[1] == 0xac && p[2] >= 0x80 && p[2] <= 0x86) {
            buf_z(&b, spelled[p[2] - 0x80]);
            i += 2;
            changed = true;
        } else {
            buf_char(&b, name.p[i]);
        }
    }
    struct str out = changed ? (struct str){arena_dup(&w->arena, b.p, b.n), b.n} : name;
    buf_release(&b);
    return out;
}

/* ---- marks and fixtures of a function ---- */

static void copy_marks(struct function *f)
{
    struct collector *x = f->x;
    f->t.n_own = f->marks.n;
    f->t.decorated = f->marks.n > 0;
    for (uint32_t i = x->n_classes; i > 0; i--)
        marks_of_class(x->w, x->classes[i - 1], &f->marks);
    for (uint32_t i = 0; i < x->module_marks.n; i++)
        marks_add(&f->marks, &x->module_marks.items[i]);
    if (x->module_marks.doubt)
        f->marks.doubt = x->module_marks.doubt;
    struct value *kept = arena_array(&x->w->arena, f->marks.n, sizeof *kept);
    if (f->marks.n)
        memcpy(kept, f->marks.items, f->marks.n * sizeof *kept);
    f->t.marks = kept;
    f->t.n_marks = f->marks.n;
}

static void drop_given(struct function *f)
{
    uint32_t n = 0, last = f->d.given_last;
    for (uint32_t i = 0; i < f->n_args; i++)
        if (!strs_has(&f->d.given, f->args[i]))
            f->args[n++] = f->args[i];
    f->n_args = last < n ? n - last : 0;
}

static void add_initial(struct str *names, uint32_t *n, struct str name)
{
    for (uint32_t i = 0; i < *n; i++)
        if (str_eq(names[i], name))
            return;
    if (*n < 250)
        names[(*n)++] = name;
}

static uint32_t initial_names(struct function *f, struct str *names)
{
    struct collector *x = f->x;
    const struct strs *everywhere = &x->w->config->usefixtures;
    uint32_t n = 0;
    for (size_t i = 0; i < everywhere->n; i++)
        add_initial(names, &n, everywhere->items[i]);
    for (uint32_t i = 0; i < x->chain.n && x->has_autouse; i++) {
        struct fixture_list *l = fixtures_of(x->w, x->chain.scopes[i]);
        for (uint32_t k = 0; k < l->n; k++)
            if (l->items[k].autouse)
                add_initial(names, &n, l->items[k].name);
    }
    for (uint32_t i = 0; i < f->t.n_marks; i++) {
        const struct value *m = &f->t.marks[i];
        if (!str_eq(m->text, STR("usefixtures")))
            continue;
        for (uint32_t k = 0; k < m->n_items; k++) {
            if (m->items[k].kind == VALUE_STR)
                add_initial(names, &n, m->items[k].text);
            else
                f->t.doubt = "usefixtures with names that are computed";
        }
    }
    for (uint32_t i = 0; i < f->n_args; i++)
        add_initial(names, &n, f->args[i]);
    return n;
}

static bool is_parametrize(const struct value *m)
{
    return str_eq(m->text, STR("parametrize"));
}

static bool add_set(struct function *f, const struct ids_list *l, enum fixture_scope scope)
{
    if (f->n_sets == 32)
        return false;
    f->sets[f->n_sets] = *l;
    f->scopes[f->n_sets++] = scope;
    return true;
}

static bool is_indirect(const struct ids_list *l, struct str name)
{
    for (uint32_t i = 0; i < l->n_indirect; i++)
        if (str_eq(l->indirect[i], name))
            return true;
    return l->indirect_all;
}

/* The scope that groups the tests of a parametrize mark: its scope=, or that of fixtures it goes through. */
static enum fixture_scope mark_scope(struct function *f, const struct value *mark, const struct ids_list *l,
                                     const struct fixture_closure *c)
{
    static const char *const names[] = {"function", "class", "module", "package", "session"};
    const struct value *given = value_keyword(mark, STR("scope"));
    (void)f;
    for (size_t i = 0; given && given->kind == VALUE_STR && i < 5; i++)
        if (str_eq(given->text, str_z(names[i])))
            return (enum fixture_scope)i;
    enum fixture_scope lowest = SCOPE_SESSION;
    for (uint32_t i = 0; i < l->n_names; i++) {
        if (!is_indirect(l, l->names[i]))
            return SCOPE_FUNCTION;
        enum fixture_scope s = SCOPE_FUNCTION;
        for (uint32_t k = 0; k < c->n; k++)
            if (str_eq(c->names[k], l->names[i]) && c->defs[k])
                s = c->defs[k]->scope;
        lowest = s < lowest ? s : lowest;
    }
    return lowest;
}

/* Does a pytest_generate_tests that applies look at this function? It says the names it looks for. */
static bool may_generate(struct function *f, const struct fixture_closure *c)
{
    for (uint32_t i = 0; i < f->x->n_generate; i++) {
        const struct binding *hook = f->x->generate[i];
        const struct module *m = hook->scope->module;
        const struct stmt *body = hook->stmt + 1 < m->n_stmts ? &m->stmts[hook->stmt + 1] : NULL;
        if (!body || body->kind != STMT_BODY || !body->text.n)
            return true;
        struct str text = body->text, rest = text, word;
        bool dotted;
        while (split_word(&rest, &word, &dotted))
            if ((dotted && str_eq(word, STR("parametrize")) && rest.n > 1 && *rest.p == '(' &&
                 str_trim(str_slice(rest, 1, rest.n)).p[0] != '"' && str_trim(str_slice(rest, 1, rest.n)).p[0] != '\'') ||
                (!dotted && str_eq(word, STR("getattr"))))
                return true;
        for (uint32_t k = 0; k < c->n; k++)
            if (str_contains(text, c->names[k]))
                return true;
        if (!str_contains(text, STR("fixturenames")) && str_contains(text, STR("parametrize")))
            return true;
    }
    return false;
}

static bool has_fixture(struct collector *x, struct str name)
{
    for (uint32_t i = 0; i < x->chain.n; i++)
        if (fixture_find(x->w, x->chain.scopes[i], name))
            return true;
    return false;
}

/* anyio parametrizes the tests that it runs by backend, pytest-asyncio by what overrides its policy fixture. */
static const char *plugin_doubt(struct function *f, const struct fixture_closure *c)
{
    const struct collector *x = f->x;
    bool marked = x->w->config->anyio_auto, used = false;
    for (uint32_t i = 0; i < f->t.n_marks; i++)
        marked = marked || str_eq(f->t.marks[i].text, STR("anyio"));
    for (uint32_t i = 0; i < c->n; i++)
        used = used || str_starts(c->names[i], STR("anyio_backend"));
    if (x->o->anyio && (used || (marked && f->coroutine)))
        return "the anyio plugin chooses the backends";
    if (x->o->asyncio && f->coroutine && has_fixture(f->x, STR("event_loop_policy")))
        return "pytest-asyncio runs it for each event loop policy";
    return NULL;
}

/* Numbers, strings, containers of them, and marks: nothing whose id could be unknown for another reason. */
static bool is_literal(const struct value *v)
{
    for (uint32_t i = 0; i < v->n_items; i++)
        if (!is_literal(&v->items[i]))
            return false;
    for (uint32_t i = 0; i < v->n_keywords; i++)
        if (!is_literal(&v->keywords[i].value))
            return false;
    return v->kind != VALUE_UNKNOWN && v->kind <= VALUE_MARK && (!v->called || v->kind == VALUE_MARK);
}

/* zip(…), a generator: the first test that it parametrizes uses it up. */
static bool is_used_up(const struct value *mark)
{
    const struct value *v = mark->n_items > 1 ? &mark->items[1] : value_keyword(mark, STR("argvalues"));
    return v && ids_is_iterator(v);
}

/* All parametrizations of the function. False with t.doubt. */
static bool find_sets(struct function *f)
{
    struct collector *x = f->x;
    struct str names[256];
    struct fixture_closure c;
    struct ids_list marks[16];
    const struct value *mark_values[16];
    struct strs direct = {0}, all = {0};
    uint32_t n_marks = 0;
    bool ok = true;
    for (uint32_t i = 0; i < f->t.n_marks && ok; i++) {
        if (!is_parametrize(&f->t.marks[i]))
            continue;
        mark_values[n_marks % 16] = &f->t.marks[i];
        if ((i >= f->t.n_own || x->n_classes || f->imported) && is_used_up(&f->t.marks[i]))
            f->t.doubt = "an iterator, which only the first test gets";
        ok = n_marks < 16 && ids_parametrize(&x->ids, &f->t.marks[i], &x->w->arena, &marks[n_marks]);
        for (uint32_t k = 0; ok && k < marks[n_marks].n_names; k++) {
            if (strs_has(&all, marks[n_marks].names[k])) {
                f->t.doubt = "an argument that is parametrized twice";
                f->t.may_fail = true;
            }
            strs_add(&all, marks[n_marks].names[k]);
            if (!is_indirect(&marks[n_marks], marks[n_marks].names[k]))
                strs_add(&direct, marks[n_marks].names[k]);
        }
        n_marks++;
    }
    if (!ok) {
        f->t.doubt = "parametrize with values or ids that are computed";
        const struct value *mark = mark_values[(n_marks - 1) % 16], *ids = value_keyword(mark, STR("ids"));
        f->t.may_fail = is_literal(mark) && (!ids || ids->kind != VALUE_STR); /* then pytest refuses it, perhaps */
    }
    uint32_t n = initial_names(f, names);
    c.n = 0;
    c.doubt = NULL;
    if (n)
        fixture_closure(x->w, &x->chain, names, n, &direct, &c);
    if (c.doubt && !f->t.doubt)
        f->t.doubt = c.doubt;
    if (!f->t.doubt && x->n_generate && may_generate(f, &c))
        f->t.doubt = "pytest_generate_tests";
    if (!f->t.doubt)
        f->t.doubt = plugin_doubt(f, &c);
    for (uint32_t i = 0; i < all.n && !f->t.doubt; i++) { /* "function uses no argument" */
        bool known = false;
        for (uint32_t k = 0; k < c.n; k++)
            known = known || str_eq(c.names[k], all.items[i]);
        for (uint32_t k = 0; k < n; k++)
            known = known || str_eq(names[k], all.items[i]);
        if (!known) {
            f->t.doubt = "parametrize names an argument that the function does not have";
            f->t.may_fail = true;
        }
    }
    for (uint32_t i = 0; i < c.n && !f->t.doubt; i++) {
        struct ids_list l;
        if (!c.defs[i] || !c.defs[i]->has_params || strs_has(&all, c.names[i]))
            continue;
        if (!ids_fixture(&x->ids, c.names[i], &c.defs[i]->params, c.defs[i]->has_ids ? &c.defs[i]->ids : NULL,
                         &x->w->arena, &l) || !add_set(f, &l, c.defs[i]->scope)) {
            f->t.doubt = "a fixture with parameters that are computed";
            f->t.may_fail = x->ids.strict;
        }
    }
    for (uint32_t i = 0; i < n_marks && !f->t.doubt; i++)
        if (!add_set(f, &marks[i], mark_scope(f, mark_values[i], &marks[i], &c)))
            f->t.doubt = "too many parametrizations";
    strs_release(&direct);
    strs_release(&all);
    return !f->t.doubt;
}

/* ---- the tests of a function ---- */

static void add_case(struct function *f, const uint32_t *at)
{
    struct collector *x = f->x;
    struct test t = f->t;
    struct buf id = {0};
    uint32_t n_params = 0, n_extra = 0;
    bool parts = false;
    for (uint32_t i = 0; i < f->n_sets; i++) {
        n_params += f->sets[i].n_names;
        n_extra += f->sets[i].sets[at[i]].n_marks;
    }
    struct test_param *params = arena_array(&x->w->arena, n_params, sizeof *params);
    struct test_key *keys = arena_array(&x->w->arena, n_params, sizeof *keys);
    struct value *marks = n_extra ? arena_array(&x->w->arena, n_extra + t.n_marks, sizeof *marks) : NULL;
    t.params = params;
    t.keys = keys;
    if (marks && t.n_own) /* Function.__init__: the function's, then those of its parameters */
        memcpy(marks, t.marks, t.n_own * sizeof *marks);
    n_extra = t.n_own;
    for (uint32_t i = 0; i < f->n_sets; i++) {
        const struct ids_set *s = &f->sets[i].sets[at[i]];
        if (!s->hidden && parts)
            buf_char(&id, '-');
        if (!s->hidden)
            buf_str(&id, s->id);
        parts = parts || !s->hidden;
        for (uint32_t k = 0; k < f->sets[i].n_names; k++) {
            params[t.n_params++] = (struct test_param){f->sets[i].names[k], s->values ? s->values[k] : (struct value){0}};
            if (f->scopes[i] != SCOPE_FUNCTION)
                keys[t.n_keys++] = (struct test_key){f->scopes[i], f->sets[i].names[k], at[i]};
        }
        for (uint32_t k = 0; k < s->n_marks; k++)
            marks[n_extra++] = s->marks[k];
    }
    if (marks) {
        memcpy(marks + n_extra, t.marks + t.n_own, (t.n_marks - t.n_own) * sizeof *marks);
        t.n_marks += n_extra - t.n_own;
        t.n_own = n_extra;
        t.marks = marks;
    }
    t.id = collector_id(x, f->t.function, id.p ? buf_view(&id) : STR(""), parts);
    t.skip = marks_skip(t.marks, t.n_marks);
    x->add(x->ctx, &t);
    buf_release(&id);
}

static void add_product(struct function *f)
{
    uint32_t at[32] = {0};
    uint64_t total = 1;
    for (uint32_t i = 0; i < f->n_sets; i++) {
        total *= f->sets[i].n_sets;
        if (total == 0 || total > MAX_TESTS_EACH) {
            collector_doubtful(f->x, f->t.function, f->t.line, "too many parameters", false);
            return;
        }
    }
    for (;;) {
        add_case(f, at);
        uint32_t i = f->n_sets;
        while (i > 0 && ++at[i - 1] == f->sets[i - 1].n_sets)
            at[--i] = 0;
        if (i == 0)
            return;
    }
}

static bool is_plain(const struct function *f)
{
    return !f->coroutine && f->n_args == 0 && !f->x->w->config->usefixtures.n && !f->x->has_autouse && !f->x->n_generate && f->t.n_marks == 0;
}

static void release(struct function *f)
{
    free(f->marks.items);
    strs_release(&f->d.given);
}

/* co_firstlineno: where pytest says that it is. */
static uint32_t first_line(const struct binding *def)
{
    return def->scope->module->stmts[def->decorators < def->stmt ? def->decorators : def->stmt].line;
}

void collector_function(struct collector *x, struct str name, struct binding *b, struct binding *def,
                             struct str header, uint32_t line)
{
    struct function f = {.x = x, .t = {.function = collector_normalize(x->w, name), .line = def ? first_line(def) : line, .class = STR("")}};
    f.d.marks = &f.marks;
    f.coroutine = str_starts(header, STR("async"));
    f.imported = def && !x->n_classes && def->scope != &x->m->scope;
    uint32_t words = def ? def->scope->module->stmts[def->stmt].words : 0;
    if (def && def->decorators < def->stmt)
        decoration_read(x->w, def, &f.d);
    if (f.d.fixture || f.d.property || b->test_attr == 2 || (def && def->test_attr == 2)) {
        release(&f);
        return;
    }
    if (x->n_classes) {
        f.t.class = collector_class(x);
        f.t.class_ref = x->classes[x->n_classes - 1];
    }
    bool generator = words & WORD_YIELD && !f.d.wrapped && !str_starts(header, STR("async"));
    const char *why = f.d.doubt ? f.d.doubt : x->o->doubt;
    if (!collector_is_normal(f.t.function)) {
        why = "a name that Unicode normalization may change";
        collector_doubtful(x, STR(""), line, why, false);
    }
    if (b->maybe || (def && def->maybe))
        why = "it is defined conditionally";
    if ((def && def->patched) || b->patched || b->test_attr == 3)
        why = "attributes of it are assigned later";
    if (generator && x->ids.pytest >= 804) {
        collector_doubtful(x, STR(""), line, "a test that yields: pytest fails to collect it", true);
        release(&f);
        return;
    }
    uint32_t drop = x->n_classes && !f.d.is_static ? 1 : 0;
    if (f.d.is_class && x->w->config->pytest < 702) { /* istestfunction: they are no tests yet */
        release(&f);
        return;
    }
    if (!why && !fixture_arguments(x->w, header, drop, &f.args, &f.n_args))
        why = "its parameters cannot be read";
    if (!why && f.d.n_mocks) {
        uint32_t n = f.d.n_mocks < f.n_args ? f.d.n_mocks : f.n_args;
        f.args += n;
        f.n_args -= n;
    }
    drop_given(&f);
    copy_marks(&f);
    if (!why)
        why = f.marks.doubt;
    f.t.doubt = why;
    if (!why && is_plain(&f)) {
        f.t.id = collector_id(x, f.t.function, STR(""), false);
        x->add(x->ctx, &f.t);
    } else if (!why && find_sets(&f)) {
        if (f.n_sets) {
            add_product(&f);
        } else {
            f.t.id = collector_id(x, f.t.function, STR(""), false);
            f.t.skip = marks_skip(f.t.marks, f.t.n_marks);
            x->add(x->ctx, &f.t);
        }
    } else {
        f.t.id = collector_id(x, f.t.function, STR(""), false);
        x->add(x->ctx, &f.t);
    }
    release(&f);
}


void collector_method(struct collector *x, struct class_info *c, struct str name, struct binding *b,
                      struct binding *def)
{
    uint32_t line = first_line(def);
    struct function f = {.x = x};
    f.d.marks = &f.marks;
    decoration_read(x->w, def, &f.d);
    if (!f.d.property && def->test_attr != 2) {
        f.t = (struct test){.function = name, .class = collector_class(x), .class_ref = c, .line = line,
                            .doubt = b->maybe || def->maybe ? "it is defined conditionally"
                                     : f.d.doubt          ? f.d.doubt
                                                          : x->o->doubt};
        copy_marks(&f);
        f.t.id = collector_id(x, name, STR(""), false);
        f.t.skip = marks_skip(f.t.marks, f.t.n_marks);
        x->add(x->ctx, &f.t);
    }
    release(&f);
}
