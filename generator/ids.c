#include "generator/ids.h"

#include "generator/split.h"

#include <stdlib.h>
#include <string.h>

/* *wrap: a value stands for itself; with names in a list, or "a,", it is a sequence of one. */
static bool put_names(const struct ids_config *c, const struct value *v, struct arena *a, struct ids_list *out,
                      bool *wrap)
{
    *wrap = false;
    if (v->kind == VALUE_STR) {
        struct str rest = v->text, part;
        out->names = arena_array(a, v->text.n + 1, sizeof *out->names);
        while (str_next(&rest, ',', &part)) {
            part = str_trim(part);
            if (part.n)
                out->names[out->n_names++] = part;
        }
        bool comma = str_ends(str_trim(v->text), STR(",")) && c->pytest >= 900;
        *wrap = out->n_names == 1 && !comma;
        return out->n_names > 0;
    }
    if (v->kind != VALUE_TUPLE && v->kind != VALUE_LIST)
        return false;
    out->names = arena_array(a, v->n_items, sizeof *out->names);
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (v->items[i].kind != VALUE_STR)
            return false;
        out->names[out->n_names++] = v->items[i].text;
    }
    return out->n_names > 0;
}

/* ---- the id of one value ---- */

/* unicode_escape, as pytest's ascii_escaped: ASCII that is printable stays. With no_escape all of a str
 * does, but NUL, which no id of ours can hold. */
static void put_escaped(struct buf *out, struct str s, bool bytes, bool no_escape)
{
    const unsigned char *p = (const unsigned char *)s.p;
    for (size_t i = 0; i < s.n; i++) {
        uint32_t c = p[i];
        if (!bytes && no_escape && c) {
            buf_char(out, (char)c);
        } else if (!bytes && c >= 0x80) {
            int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
            c &= more == 3 ? 7u : more == 2 ? 15u : 31u;
            for (int k = 0; k < more && i + 1 < s.n && (p[i + 1] & 0xc0) == 0x80; k++)
                c = c << 6 | (p[++i] & 63u);
            if (c < 0x100)
                buf_printf(out, "\\x%02x", c);
            else
                buf_printf(out, c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        } else if (c < 0x20 || c >= 0x7f) {
            buf_printf(out, "\\x%02x", c);
        } else if (c == '\\' && !bytes) {
            buf_z(out, "\\\\");
        } else {
            buf_char(out, (char)c);
        }
    }
}

static size_t text_length(const struct value *v)
{
    size_t n = 0;
    for (size_t i = 0; i < v->text.n; i++)
        n += v->kind == VALUE_BYTES || ((unsigned char)v->text.p[i] & 0xc0) != 0x80;
    return n;
}

/* False: it is not known. */
static bool put_value(const struct ids_config *c, const struct value *v, struct str name, uint32_t index,
                      struct buf *out)
{
    switch (v->kind) {
    case VALUE_EXTERNAL: /* os.path has another name */
        if (!v->called || str_eq(v->text, STR("os.path")))
            return false;
        buf_str(out, v->text);
        return true;
    case VALUE_UNKNOWN:
    case VALUE_PARAM:
        return false;
    case VALUE_STR:
    case VALUE_BYTES:
        if (c->pytest >= 901 && text_length(v) > 100) {
            if (c->long_str.n)
                return false;
            break;
        }
        put_escaped(out, v->text, v->kind == VALUE_BYTES, c->no_escape);
        return true;
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_COMPLEX:
        return value_str(v, out);
    case VALUE_PATTERN:
        put_escaped(out, v->text, v->i != 0, false); /* whatever the configuration says */
        return true;
    case VALUE_ENUM:
    case VALUE_NAMED:
        buf_str(out, v->text);
        return true;
    case VALUE_MARK: /* a MarkDecorator has a name, but no __name__ */
    case VALUE_TUPLE:
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_DICT:
    case VALUE_PLAIN:
        break;
    }
    buf_printf(out, "%.*s%u", (int)name.n, name.p, index);
    return true;
}

/* ---- one parameter set ---- */

static bool put_marks(const struct value *param, struct arena *a, struct ids_set *s)
{
    const struct value *m = value_keyword(param, STR("marks"));
    if (!m)
        return true;
    bool list = m->kind == VALUE_TUPLE || m->kind == VALUE_LIST;
    s->n_marks = list ? m->n_items : 1;
    s->marks = arena_array(a, s->n_marks, sizeof *s->marks);
    if (list && m->n_items)
        memcpy(s->marks, m->items, m->n_items * sizeof *s->marks);
    else if (!list)
        s->marks[0] = *m;
    uint32_t kept = 0; /* what is not known keeps the test, without that mark */
    for (uint32_t i = 0; i < s->n_marks; i++)
        if (s->marks[i].kind == VALUE_MARK)
            s->marks[kept++] = s->marks[i];
    s->n_marks = kept;
    return true;
}

/* The values of a set: what was given for each name. */
static bool put_values(const struct value *v, uint32_t n_names, bool wrap, struct ids_set *s)
{
    if (v->kind == VALUE_PARAM) {
        s->values = v->items;
        return v->n_items == n_names;
    }
    if (wrap)
        return true;
    s->values = v->items;
    return (v->kind == VALUE_TUPLE || v->kind == VALUE_LIST) && v->n_items == n_names;
}

/* What ids= says about this set: 1 an id, 0 nothing, -1 not known. */
static int own_id(const struct ids_config *c, const struct value *ids, uint32_t index, struct buf *out)
{
    if (!ids || ids->kind == VALUE_NONE)
        return 0;
    if (ids->kind != VALUE_LIST && ids->kind != VALUE_TUPLE)
        return -1;
    if (index >= ids->n_items)
        return -1;
    const struct value *v = &ids->items[index];
    switch (v->kind) {
    case VALUE_NONE:
        return 0;
    case VALUE_STR:
        put_escaped(out, v->text, false, c->no_escape);
        return 1;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
        return value_str(v, out) ? 1 : -1;
    default:
        return -1;
    }
}

/* ids=str and ids=repr: called for each value of the set. */
static bool call_id(const struct ids_config *c, const struct value *ids, const struct ids_set *s, uint32_t n,
                    struct str const *names, uint32_t index, struct buf *out)
{
    bool repr = str_eq(ids->text, STR("repr"));
    if (ids->kind != VALUE_NAMED || ids->ref || (!repr && !str_eq(ids->text, STR("str"))))
        return false;
    (void)names;
    (void)index;
    for (uint32_t i = 0; i < n; i++) {
        struct buf text = {0};
        bool known = repr ? value_repr(&s->values[i], &text) : value_str(&s->values[i], &text);
        if (known) {
            if (i)
                buf_char(out, '-');
            put_escaped(out, text.p ? buf_view(&text) : STR(""), false, c->no_escape);
        }
        buf_release(&text);
        if (!known)
            return false;
    }
    return true;
}

static bool put_id(const struct ids_config *c, const struct value *v, const struct value *ids, uint32_t index,
                   const struct ids_list *l, struct ids_set *s, struct arena *a)
{
    struct buf b = {0};
    const struct value *own = v->kind == VALUE_PARAM ? value_keyword(v, STR("id")) : NULL;
    bool ok = true;
    if (own && own->kind != VALUE_NONE) {
        s->hidden = own->kind == VALUE_EXTERNAL && str_eq(own->text, STR("pytest.HIDDEN_PARAM"));
        ok = s->hidden || own->kind == VALUE_STR;
        if (own->kind == VALUE_STR)
            put_escaped(&b, own->text, false, c->no_escape);
    } else if (ids && ids->kind == VALUE_NAMED) {
        ok = call_id(c, ids, s, l->n_names, l->names, index, &b);
    } else {
        int known = own_id(c, ids, index, &b);
        ok = known >= 0;
        for (uint32_t i = 0; known == 0 && ok && i < l->n_names; i++) {
            if (i)
                buf_char(&b, '-');
            ok = put_value(c, &s->values[i], l->names[i], index, &b);
        }
    }
    if (ok)
        s->id = (struct str){arena_dup(a, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return ok;
}

/* ---- duplicates ---- */

static bool is_taken(const struct ids_list *l, struct str id)
{
    for (uint32_t i = 0; i < l->n_sets; i++)
        if (!l->sets[i].hidden && str_eq(l->sets[i].id, id))
            return true;
    return false;
}

/* Each id that occurs more than once gets a number: since 7.? behind "_" where it ends with a digit, and
 * never one that is taken. */
static void number_duplicates(const struct ids_config *c, struct ids_list *l, struct arena *a)
{
    struct str *original = arena_array(a, l->n_sets, sizeof *original);
    uint32_t *next = arena_array(a, l->n_sets, sizeof *next); /* the number a set has, or tries */
    for (uint32_t i = 0; i < l->n_sets; i++)
        original[i] = l->sets[i].id;
    bool any = false;
    for (uint32_t i = 0; i < l->n_sets && !any; i++) /* sorted would be faster; lists are short */
        for (uint32_t k = 0; k < i && !any && l->n_sets < 20000; k++)
            any = str_eq(original[i], original[k]);
    for (uint32_t i = 0; any && i < l->n_sets; i++) {
        bool twice = false;
        for (uint32_t k = 0; k < l->n_sets; k++)
            if (k != i && !l->sets[k].hidden && str_eq(original[i], original[k]))
                twice = true;
        if (!twice || l->sets[i].hidden)
            continue;
        for (uint32_t k = 0; k < i; k++)
            if (!l->sets[k].hidden && str_eq(original[i], original[k]))
                next[i] = next[k] + 1;
        bool digit = original[i].n && original[i].p[original[i].n - 1] >= '0' && original[i].p[original[i].n - 1] <= '9';
        for (;; next[i]++) {
            struct buf b = {0};
            buf_str(&b, original[i]);
            buf_printf(&b, digit && c->pytest >= 801 ? "_%u" : "%u", next[i]);
            struct str id = {arena_dup(a, b.p, b.n), b.n};
            buf_release(&b);
            if (c->pytest < 800 || !is_taken(l, id)) {
                l->sets[i].id = id;
                break;
            }
        }
    }
}

/* ---- the whole ---- */

static bool put_empty(const struct ids_config *c, struct ids_list *out, struct arena *a)
{
    if (str_eq(c->empty_mark, STR("fail_at_collect")))
        return false;
    struct ids_set *s = out->sets = arena_alloc(a, sizeof *s);
    out->n_sets = 1;
    s->id = STR("NOTSET");
    if (c->pytest < 804 && out->n_names > 1) { /* one NOTSET for each name, before */
        struct buf b = {0};
        for (uint32_t i = 0; i < out->n_names; i++)
            buf_z(&b, i ? "-NOTSET" : "NOTSET");
        s->id = (struct str){arena_dup(a, b.p, b.n), b.n};
        buf_release(&b);
    }
    s->values = arena_array(a, out->n_names, sizeof *s->values);
    if (!str_eq(c->empty_mark, STR("xfail"))) {
        s->marks = arena_alloc(a, sizeof *s->marks);
        *s->marks = (struct value){.kind = VALUE_MARK, .text = STR("skip"), .called = true};
        s->n_marks = 1;
    }
    return true;
}

static bool make_sets(const struct ids_config *c, const struct value *values, const struct value *ids,
                      struct arena *a, struct ids_list *out, bool wrap)
{
    const struct value *items = values->items;
    uint32_t n = values->n_items, step = 1;
    struct value *letters = NULL;
    if (values->kind == VALUE_DICT) {
        step = 2;
        n /= 2;
    } else if (values->kind == VALUE_STR) {
        letters = arena_array(a, values->text.n, sizeof *letters);
        n = 0;
        for (size_t i = 0; i < values->text.n; i++) {
            if (n && ((unsigned char)values->text.p[i] & 0xc0) == 0x80) {
                letters[n - 1].text.n++;
                continue;
            }
            letters[n++] = (struct value){.kind = VALUE_STR, .text = {values->text.p + i, 1}};
        }
        items = letters;
    } else if (values->kind == VALUE_NAMED && str_eq(values->text, STR("<genexpr>"))) {
        ; /* its items are there */
    } else if (values->kind != VALUE_LIST && values->kind != VALUE_TUPLE && !(values->kind == VALUE_SET && n < 2)) {
        return false;
    }
    if (n == 0)
        return put_empty(c, out, a);
    bool listed = ids && (ids->kind == VALUE_LIST || ids->kind == VALUE_TUPLE);
    if (listed && ids->n_items != n)
        return false;
    out->sets = arena_array(a, n, sizeof *out->sets);
    for (uint32_t i = 0; i < n; i++) {
        const struct value *v = &items[i * step];
        struct ids_set *s = &out->sets[out->n_sets++];
        if (!put_values(v, out->n_names, wrap, s))
            return false;
        if (!s->values) {
            s->values = arena_alloc(a, sizeof *s->values);
            *s->values = *v;
        }
        if (v->kind == VALUE_PARAM && !put_marks(v, a, s))
            return false;
        if (!put_id(c, v, ids, i, out, s, a))
            return false;
    }
    number_duplicates(c, out, a);
    return true;
}

static bool put_indirect(const struct value *v, struct arena *a, struct ids_list *out)
{
    if (!v || (v->kind == VALUE_BOOL && !v->i))
        return true;
    if (v->kind == VALUE_BOOL) {
        out->indirect_all = true;
        return true;
    }
    if (v->kind != VALUE_LIST && v->kind != VALUE_TUPLE)
        return false;
    out->indirect = arena_array(a, v->n_items, sizeof *out->indirect);
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (v->items[i].kind != VALUE_STR)
            return false;
        out->indirect[out->n_indirect++] = v->items[i].text;
    }
    return true;
}

static const struct value *argument(const struct value *call, uint32_t position, const char *name)
{
    return position < call->n_items ? &call->items[position] : value_keyword(call, str_z(name));
}

bool ids_parametrize(const struct ids_config *c, const struct value *call, struct arena *a,
                     struct ids_list *out)
{
    const struct value *names = argument(call, 0, "argnames"), *values = argument(call, 1, "argvalues");
    *out = (struct ids_list){0};
    bool wrap;
    return names && values && put_names(c, names, a, out, &wrap) && put_indirect(argument(call, 2, "indirect"), a, out) &&
           make_sets(c, values, argument(call, 3, "ids"), a, out, wrap);
}

bool ids_fixture(const struct ids_config *c, struct str name, const struct value *params,
                 const struct value *ids, struct arena *a, struct ids_list *out)
{
    *out = (struct ids_list){.indirect_all = true};
    out->names = arena_alloc(a, sizeof *out->names);
    out->names[0] = name;
    out->n_names = 1;
    return make_sets(c, params, ids, a, out, true);
}
