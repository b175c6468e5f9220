#include "generator/collect/ids.h"

#include "generator/collect/ids_text.h"
#include "generator/eval/expr_parse.h"

#include <string.h>

/* ---- argnames ---- */

/* "a, b" or a list of strings. *wrap: each value belongs to the only name, and is no list of values. */
static bool read_names(const struct ids_config *c, const struct value *v, struct arena *a, struct ids_list *out,
                       bool *wrap)
{
    *wrap = false;
    if (v->kind == VALUE_STR) {
        struct str rest = v->text, part, all = str_trim(v->text);
        out->names = arena_array(a, v->text.n + 1, sizeof *out->names);
        while (str_next(&rest, ',', &part)) {
            part = str_trim(part);
            if (part.n)
                out->names[out->n_names++] = part;
        }
        bool comma = c->pytest >= 901 && str_ends(all, STR(","));
        *wrap = out->n_names == 1 && !comma;
        return out->n_names > 0;
    }
    if (v->kind != VALUE_TUPLE && v->kind != VALUE_LIST)
        return false;
    out->names = arena_array(a, v->n_items + 1u, sizeof *out->names);
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (v->items[i].kind != VALUE_STR)
            return false;
        out->names[out->n_names++] = v->items[i].text;
    }
    return out->n_names > 0;
}

static bool has_name(const struct ids_list *l, uint32_t n, struct str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(l->names[i], name))
            return true;
    return false;
}

/* A name twice, or "request": errors of collection. */
static bool names_are_good(const struct ids_list *l)
{
    for (uint32_t i = 0; i < l->n_names; i++)
        if (has_name(l, i, l->names[i]) || str_eq(l->names[i], STR("request")))
            return false;
    return l->n_names <= 256;
}

static bool read_indirect(const struct value *v, struct arena *a, struct ids_list *out)
{
    if (!v || (v->kind == VALUE_BOOL && !v->i))
        return true;
    if (v->kind == VALUE_BOOL) {
        out->indirect_all = true;
        return true;
    }
    if (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE)
        return false;
    out->indirect = arena_array(a, v->n_items + 1u, sizeof *out->indirect);
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (v->items[i].kind != VALUE_STR || !has_name(out, out->n_names, v->items[i].text))
            return false;
        out->indirect[out->n_indirect++] = v->items[i].text;
    }
    return true;
}

/* ---- one parameter set ---- */

/* marks=: one or several. What is not known keeps the test without that mark. */
static bool read_marks(const struct value *param, struct arena *a, struct ids_set *s)
{
    const struct value *m = value_keyword(param, STR("marks"));
    if (!m)
        return true;
    bool list = m->kind == VALUE_TUPLE || m->kind == VALUE_LIST;
    uint32_t n = list ? m->n_items : 1;
    const struct value *items = list ? m->items : m;
    s->marks = arena_array(a, n + 1u, sizeof *s->marks);
    for (uint32_t i = 0; i < n; i++) {
        bool unknown = items[i].kind == VALUE_UNKNOWN || items[i].kind == VALUE_EXTERNAL;
        bool mark = items[i].kind == VALUE_MARK;
        if ((!mark && !unknown) || (mark && str_eq(items[i].text, STR("usefixtures"))))
            return false; /* an error */
        if (mark)
            s->marks[s->n_marks++] = items[i];
    }
    return true;
}

static bool read_values(const struct value *v, uint32_t n_names, bool wrap, struct arena *a, struct ids_set *s)
{
    uint32_t n = 1;
    if (v->kind == VALUE_PARAM) {
        s->values = v->items;
        return v->n_items == n_names;
    }
    if (wrap) {
        s->values = arena_alloc(a, sizeof *s->values);
        *s->values = *v;
        return true;
    }
    struct expr_env env = {.arena = a};
    struct expr x = {.env = &env};
    return v->i != EXPR_ITERATOR && expr_iterate(&x, v, &s->values, &n) && n == n_names && !x.bad;
}

static bool is_hidden(const struct ids_config *c, const struct value *v)
{
    return c->pytest >= 804 && v->kind == VALUE_EXTERNAL && str_eq(v->text, STR("pytest.HIDDEN_PARAM"));
}

/* pytest.param(id=…): escaped at once, whatever the configuration, before 8.4. */
static bool put_param_id(const struct ids_config *c, const struct value *id, struct ids_set *s, struct buf *out)
{
    s->hidden = is_hidden(c, id);
    if (s->hidden || id->kind != VALUE_STR)
        return s->hidden;
    if (c->no_escape && c->pytest >= 804)
        buf_str(out, id->text);
    else
        ids_escape(out, id->text, false);
    return true;
}

/* An item of ids=[…] that is not None. */
static bool put_listed_id(const struct ids_config *c, const struct value *id, struct ids_set *s, struct buf *out)
{
    bool simple = id->kind == VALUE_STR || expr_is_number(id);
    s->hidden = is_hidden(c, id);
    return s->hidden || ((simple || c->pytest >= 701) && ids_own_text(c, id, out) == 1);
}

/* ids= as the caller wants it: a function, or a list. */
struct ids_given {
    const struct value *fn;
    const struct value *items;
    uint32_t n;
};

static bool put_id(const struct ids_config *c, const struct value *v, const struct ids_given *ids, uint32_t index,
                   const struct ids_list *l, struct ids_set *s, struct arena *a)
{
    struct buf b = {0};
    const struct value *own = v->kind == VALUE_PARAM ? value_keyword(v, STR("id")) : NULL;
    bool ok = true;
    if (own && own->kind != VALUE_NONE)
        ok = put_param_id(c, own, s, &b);
    else if (index < ids->n && ids->items[index].kind != VALUE_NONE)
        ok = put_listed_id(c, &ids->items[index], s, &b);
    else
        for (uint32_t i = 0; i < l->n_names && ok; i++) {
            if (i)
                buf_char(&b, '-');
            ok = ids_value_text(c, &s->values[i], ids->fn, a, l->names[i], index, &b);
        }
    s->id = ok ? (struct str){arena_dup(a, b.p ? b.p : "", b.n), b.n} : STR("");
    ok = ok && !memchr(s->id.p, '\0', s->id.n);
    buf_release(&b);
    return ok;
}

/* ---- the whole ---- */

static bool read_ids(const struct value *v, uint32_t n_sets, struct ids_given *out)
{
    *out = (struct ids_given){0};
    if (!v || v->kind == VALUE_NONE)
        return true;
    if (v->kind == VALUE_NAMED && !expr_is_generator(v)) {
        out->fn = v;
        return !v->ref; /* only builtins are followed */
    }
    bool iterator = ids_is_iterator(v), list = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE || iterator;
    if (!list || (!iterator && v->n_items && v->n_items != n_sets))
        return false;
    out->items = v->items;
    out->n = v->n_items;
    return true;
}

/* "got empty parameter set …", whose text before 8.4 has the function's place. */
static void mark_empty(const struct ids_config *c, struct ids_list *l, struct arena *a)
{
    struct ids_set *s = l->sets;
    bool xfail = str_eq(c->empty_mark, STR("xfail"));
    struct buf b = {0};
    s->marks = arena_alloc(a, sizeof *s->marks);
    s->n_marks = 1;
    struct value_keyword *k = arena_array(a, 2, sizeof *k);
    buf_z(&b, "got empty parameter set for (");
    for (uint32_t i = 0; i < l->n_names; i++) {
        buf_z(&b, i ? ", " : "");
        buf_str(&b, l->names[i]);
    }
    buf_char(&b, ')');
    k[0].name = STR("reason");
    if (c->pytest >= 804)
        k[0].value = (struct value){.kind = VALUE_STR, .text = {arena_dup(a, b.p, b.n), b.n}};
    k[1] = (struct value_keyword){STR("run"), {.kind = VALUE_BOOL}};
    buf_release(&b);
    *s->marks = (struct value){.kind = VALUE_MARK, .text = xfail ? STR("xfail") : STR("skip"), .called = true,
                               .keywords = k, .n_keywords = xfail ? 2 : 1};
}

/* One set of NOTSET: its id is that since 8.4, and what an object without an id gets before. */
static bool put_empty(const struct ids_config *c, const struct value *ids, struct ids_list *out, struct arena *a)
{
    struct ids_given given;
    bool known = !c->empty_mark.n || str_eq(c->empty_mark, STR("skip")) || str_eq(c->empty_mark, STR("xfail"));
    if (!known || !read_ids(ids, 1, &given))
        return false;
    struct ids_set *s = out->sets = arena_alloc(a, sizeof *s);
    out->n_sets = 1;
    s->values = arena_array(a, out->n_names, sizeof *s->values);
    for (uint32_t i = 0; i < out->n_names; i++)
        s->values[i].kind = VALUE_PLAIN;
    mark_empty(c, out, a);
    s->id = STR("NOTSET");
    if (c->pytest >= 804)
        return true;
    struct value nothing = {.kind = VALUE_PLAIN};
    return put_id(c, &nothing, &given, 0, out, s, a);
}

static bool make_sets(const struct ids_config *c, const struct value *values, const struct value *ids, bool wrap,
                      struct arena *a, struct ids_list *out)
{
    struct expr_env env = {.arena = a};
    struct expr x = {.env = &env};
    struct ids_given given;
    struct value *items;
    uint32_t n;
    if (!names_are_good(out) || !expr_iterate(&x, values, &items, &n) || x.bad)
        return false;
    if (n == 0)
        return put_empty(c, ids, out, a);
    if (!read_ids(ids, n, &given))
        return false;
    out->sets = arena_array(a, n, sizeof *out->sets);
    for (uint32_t i = 0; i < n; i++) {
        struct ids_set *s = &out->sets[out->n_sets++];
        bool ok = read_values(&items[i], out->n_names, wrap, a, s) &&
                  (items[i].kind != VALUE_PARAM || read_marks(&items[i], a, s));
        if (!ok || !put_id(c, &items[i], &given, i, out, s, a))
            return false;
    }
    return ids_make_unique(c, out, a);
}

/* Metafunc.parametrize's parameters; since 9.2 only the first two may be given by position. */
enum { ARGNAMES, ARGVALUES, INDIRECT, IDS, SCOPE, N_PARAMETERS };

static bool read_call(const struct ids_config *c, const struct value *call, const struct value *out[N_PARAMETERS])
{
    static const char *const names[N_PARAMETERS] = {"argnames", "argvalues", "indirect", "ids", "scope"};
    if (call->n_items > (c->pytest >= 902 ? 2 : N_PARAMETERS))
        return false;
    for (uint32_t i = 0; i < N_PARAMETERS; i++)
        out[i] = i < call->n_items ? &call->items[i] : NULL;
    for (uint32_t k = 0; k < call->n_keywords; k++) {
        uint32_t i = 0;
        while (i < N_PARAMETERS && !str_eq(call->keywords[k].name, str_z(names[i])))
            i++;
        if (i == N_PARAMETERS || out[i])
            return false;
        out[i] = &call->keywords[k].value;
    }
    return out[ARGNAMES] && out[ARGVALUES];
}

bool ids_is_iterator(const struct value *v)
{
    bool list = v->kind == VALUE_LIST || v->kind == VALUE_TUPLE;
    return expr_is_generator(v) || (list && v->i == EXPR_ITERATOR);
}

bool ids_parametrize(const struct ids_config *c, const struct value *call, struct arena *a,
                     struct ids_list *out)
{
    const struct value *given[N_PARAMETERS];
    bool wrap;
    *out = (struct ids_list){0};
    return read_call(c, call, given) && read_names(c, given[ARGNAMES], a, out, &wrap) &&
           read_indirect(given[INDIRECT], a, out) && make_sets(c, given[ARGVALUES], given[IDS], wrap, a, out);
}

bool ids_fixture(const struct ids_config *c, struct str name, const struct value *params,
                 const struct value *ids, struct arena *a, struct ids_list *out)
{
    *out = (struct ids_list){.indirect_all = true};
    out->names = arena_alloc(a, sizeof *out->names);
    out->names[0] = name;
    out->n_names = 1;
    return make_sets(c, params, ids, true, a, out);
}
