#include "generator/eval/expr_parse.h"

#include "runtime/base/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- making values ---- */

struct value expr_unknown(void)
{
    return (struct value){.kind = VALUE_UNKNOWN};
}

struct value expr_int(int64_t i)
{
    return (struct value){.kind = VALUE_INT, .i = i};
}

struct value expr_bool(int truth)
{
    return truth < 0 ? expr_unknown() : (struct value){.kind = VALUE_BOOL, .i = truth};
}

struct value expr_float(double f)
{
    return (struct value){.kind = VALUE_FLOAT, .f = f};
}

struct value expr_plain(struct str class)
{
    return (struct value){.kind = VALUE_PLAIN, .text = class};
}

struct value expr_str(struct str text)
{
    return (struct value){.kind = VALUE_STR, .text = text};
}

struct value expr_named(struct str name)
{
    return (struct value){.kind = VALUE_NAMED, .text = name};
}

struct value expr_sequence(enum value_kind kind, struct value *items, size_t n, enum expr_iterable how)
{
    return (struct value){.kind = kind, .called = how != EXPR_PLAIN_SEQUENCE, .i = how, .items = n ? items : NULL,
                          .n_items = (uint32_t)n};
}

struct value expr_iterator(struct value list)
{
    list.called = list.called || list.kind == VALUE_LIST;
    list.i = list.kind == VALUE_LIST ? EXPR_ITERATOR : list.i;
    return list;
}

struct value *expr_array(struct expr *x, size_t n)
{
    if (n > EXPR_MAX_ITEMS || x->items + n > EXPR_MAX_ALL_ITEMS) {
        x->bad = true;
        return NULL;
    }
    x->items += n;
    return arena_array(x->env->arena, n ? n : 1, sizeof(struct value));
}

char *expr_text(struct expr *x, size_t n)
{
    if (n > EXPR_MAX_TEXT || x->text + n > EXPR_MAX_ALL_TEXT) {
        x->bad = true;
        return NULL;
    }
    x->text += n;
    return arena_alloc(x->env->arena, n + 1);
}

struct value expr_buf(struct expr *x, struct buf *b, enum value_kind kind)
{
    struct value v = {.kind = kind};
    char *p = expr_text(x, b->n);
    if (p && b->n)
        memcpy(p, b->p, b->n);
    v.text = (struct str){p ? p : "", p ? b->n : 0};
    buf_release(b);
    return p ? v : expr_unknown();
}

/* The real part is kept in i: only expr_complex and expr_complex_parts look at it. */
struct value expr_complex(struct expr *x, double real, double imaginary)
{
    struct buf b = {0};
    struct value re = expr_float(real), im = expr_float(imaginary);
    bool bare = real == 0 && !signbit(real);
    if (!bare) {
        buf_char(&b, '(');
        value_repr(&re, &b);
        b.n -= b.n > 2 && str_ends(buf_view(&b), STR(".0")) ? 2 : 0;
        if (!signbit(imaginary) || isnan(imaginary))
            buf_char(&b, '+');
    }
    value_repr(&im, &b);
    b.n -= b.n > 2 && str_ends(buf_view(&b), STR(".0")) ? 2 : 0;
    buf_z(&b, bare ? "j" : "j)");
    struct value v = expr_buf(x, &b, VALUE_COMPLEX);
    v.f = imaginary;
    memcpy(&v.i, &real, sizeof v.i);
    return v;
}

bool expr_complex_parts(const struct value *v, double *real, double *imaginary)
{
    *real = v->kind == VALUE_COMPLEX ? 0 : expr_double(v);
    *imaginary = 0;
    if (v->kind == VALUE_COMPLEX) {
        memcpy(real, &v->i, sizeof *real);
        *imaginary = v->f;
    }
    return v->kind == VALUE_COMPLEX || expr_is_number(v);
}

/* ---- growing lists ---- */

void expr_items_add(struct expr *x, struct expr_items *l, struct value v)
{
    if (x->skip || x->bad || l->unknown)
        return;
    if (l->n >= EXPR_MAX_ITEMS) {
        x->bad = true;
        return;
    }
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    l->items[l->n++] = v;
}

void expr_items_spread(struct expr *x, struct expr_items *l, const struct value *v)
{
    struct value *items;
    uint32_t n;
    if (x->skip)
        return;
    if (!expr_iterate(x, v, &items, &n)) {
        l->unknown = true;
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        expr_items_add(x, l, items[i]);
}

struct value expr_items_end(struct expr *x, struct expr_items *l, enum value_kind kind)
{
    struct value v = expr_unknown();
    struct value *kept = l->unknown || x->bad || x->skip ? NULL : expr_array(x, l->n);
    if (kept) {
        if (l->n)
            memcpy(kept, l->items, l->n * sizeof *kept);
        v = expr_sequence(kind, kept, l->n, EXPR_PLAIN_SEQUENCE);
    }
    free(l->items);
    l->items = NULL;
    return v;
}

/* ---- sets and dictionaries: equal keys count once ---- */

static bool all_strings(const struct value *items, size_t n, size_t step)
{
    for (size_t i = 0; i < n; i += step)
        if (items[i].kind != VALUE_STR)
            return false;
    return true;
}

/* The index among the kept ones of a key like items[i]; kept when there is none; SIZE_MAX: not known. */
static size_t find_key(const struct value *items, size_t kept, size_t step, const struct value *key)
{
    for (size_t k = 0; k < kept; k += step) {
        int e = value_equal(&items[k], key);
        if (e != 0)
            return e == 1 ? k : SIZE_MAX;
    }
    return kept;
}

static size_t find_string(struct map *m, size_t kept, struct str key)
{
    bool added;
    uintptr_t *at = map_put(m, key, &added);
    if (added)
        *at = kept;
    return *at;
}

/* In place; false when it cannot be told which keys are equal. */
static bool unite(struct value *items, size_t *n, size_t step)
{
    struct map m = {0};
    bool strings = all_strings(items, *n, step), known = true;
    size_t kept = 0;
    if (!strings && *n / step > 2000)
        return false;
    for (size_t i = 0; i + step <= *n && known; i += step) {
        size_t at = strings ? find_string(&m, kept, items[i].text) : find_key(items, kept, step, &items[i]);
        known = at != SIZE_MAX;
        if (known && at == kept) {
            items[kept] = items[i];
            kept += step;
        }
        if (known && step == 2)
            items[at + 1] = items[i + 1];
    }
    map_release(&m);
    *n = kept;
    return known;
}

struct value expr_set(struct expr *x, struct value *items, size_t n)
{
    struct value *own = expr_array(x, n);
    if (!own)
        return expr_unknown();
    if (n)
        memcpy(own, items, n * sizeof *own);
    return unite(own, &n, 1) ? expr_sequence(VALUE_SET, own, n, EXPR_PLAIN_SEQUENCE) : expr_plain(STR("set"));
}

struct value expr_dict(struct expr *x, struct value *items, size_t n)
{
    struct value *own = expr_array(x, n);
    if (!own)
        return expr_unknown();
    if (n)
        memcpy(own, items, n * sizeof *own);
    return unite(own, &n, 2) ? expr_sequence(VALUE_DICT, own, n, EXPR_PLAIN_SEQUENCE) : expr_plain(STR("dict"));
}

/* ---- asking ---- */

bool expr_is_int(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_BOOL;
}

bool expr_is_number(const struct value *v)
{
    return expr_is_int(v) || v->kind == VALUE_FLOAT;
}

double expr_double(const struct value *v)
{
    return v->kind == VALUE_FLOAT ? v->f : (double)v->i;
}

bool expr_is_generator(const struct value *v)
{
    return v->kind == VALUE_NAMED && v->i == 1 && expr_is(v->text, "<genexpr>");
}

struct str expr_char(struct str s, size_t *i)
{
    size_t start = (*i)++;
    while (*i < s.n && ((unsigned char)s.p[*i] & 0xc0) == 0x80)
        ++*i;
    return str_slice(s, start, *i);
}

static bool iterate_text(struct expr *x, const struct value *v, struct value **items, uint32_t *n)
{
    bool bytes = v->kind == VALUE_BYTES;
    *items = expr_array(x, v->text.n);
    *n = 0;
    for (size_t i = 0; *items && i < v->text.n;) {
        if (bytes)
            (*items)[(*n)++] = expr_int((unsigned char)v->text.p[i++]);
        else
            (*items)[(*n)++] = expr_str(expr_char(v->text, &i));
    }
    return *items != NULL;
}

bool expr_iterate(struct expr *x, const struct value *v, struct value **items, uint32_t *n)
{
    *items = v->items;
    *n = v->n_items;
    switch (v->kind) {
    case VALUE_TUPLE:
    case VALUE_LIST:
        return true;
    case VALUE_SET:
        return v->n_items < 2; /* else hashes decide */
    case VALUE_DICT:
        *n = v->n_items / 2;
        *items = expr_array(x, *n);
        for (uint32_t i = 0; *items && i < *n; i++)
            (*items)[i] = v->items[2 * i];
        return *items != NULL;
    case VALUE_STR:
    case VALUE_BYTES:
        return iterate_text(x, v, items, n);
    case VALUE_NAMED:
        return expr_is_generator(v);
    case VALUE_UNKNOWN:
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_COMPLEX:
    case VALUE_PARAM:
    case VALUE_MARK:
    case VALUE_PATTERN:
    case VALUE_ENUM:
    case VALUE_EXTERNAL:
    case VALUE_PLAIN:
        break;
    }
    return false;
}

int64_t expr_length(const struct value *v)
{
    int64_t n = 0;
    if (v->kind == VALUE_STR) {
        for (size_t i = 0; i < v->text.n; n++)
            expr_char(v->text, &i);
        return n;
    }
    if (v->kind == VALUE_BYTES)
        return (int64_t)v->text.n;
    if ((v->kind == VALUE_TUPLE || v->kind == VALUE_LIST) && v->i != EXPR_ITERATOR)
        return v->n_items;
    if (v->kind == VALUE_SET || v->kind == VALUE_DICT)
        return v->kind == VALUE_SET ? v->n_items : v->n_items / 2;
    return -1;
}
