#include "generator/eval/expr_parse.h"

#include <string.h>

/* Methods of known objects. A name or arguments that the tables do not have: unknown. */

typedef struct value method(struct expr *x, const struct value *o, const struct value *a);

static bool is_ascii(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80)
            return false;
    return true;
}

static bool all_strings(const struct value *o, const struct value *a)
{
    for (uint32_t i = 0; i < a->n_items; i++)
        if (a->items[i].kind != o->kind)
            return false;
    return true;
}

static struct value same_kind(const struct value *o, struct str text)
{
    return (struct value){.kind = o->kind, .text = text};
}

/* ---- strings ---- */

enum casing { UPPER, LOWER, SWAP, CAPITAL, TITLE };

static char change(char c, enum casing how, bool first)
{
    bool upper = c >= 'A' && c <= 'Z', lower = c >= 'a' && c <= 'z';
    bool to_upper = how == UPPER || (how == SWAP && lower) || (how >= CAPITAL && first);
    return (upper && !to_upper) || (lower && to_upper) ? (char)(c ^ 32) : c;
}

static struct value change_case(struct expr *x, const struct value *o, enum casing how)
{
    char *p = is_ascii(o->text) ? expr_text(x, o->text.n) : NULL;
    bool first = true;
    for (size_t i = 0; p && i < o->text.n; i++) {
        char c = o->text.p[i];
        p[i] = change(c, how, first);
        first = how == TITLE && !((c | 32) >= 'a' && (c | 32) <= 'z');
    }
    return p ? same_kind(o, (struct str){p, o->text.n}) : expr_unknown();
}

static struct value call_upper(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return change_case(x, o, UPPER);
}

static struct value call_lower(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return change_case(x, o, LOWER);
}

static struct value call_swapcase(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return change_case(x, o, SWAP);
}

static struct value call_capitalize(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return change_case(x, o, CAPITAL);
}

static struct value call_title(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return change_case(x, o, TITLE);
}

/* Without characters: ASCII's blanks, which for str also are \x1c to \x1f. */
static struct value strip(const struct value *o, const struct value *a, bool left, bool right)
{
    struct str chars = o->kind == VALUE_STR ? STR(" \t\n\r\v\f\x1c\x1d\x1e\x1f") : STR(" \t\n\r\v\f"), s = o->text;
    if (a->n_items)
        chars = a->items[0].text;
    if (!is_ascii(chars) || !is_ascii(s) || !all_strings(o, a))
        return expr_unknown();
    while (left && s.n && str_chr(chars, *s.p) < chars.n)
        s = str_slice(s, 1, s.n);
    while (right && s.n && str_chr(chars, s.p[s.n - 1]) < chars.n)
        s.n--;
    return same_kind(o, s);
}

static struct value call_strip(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    return strip(o, a, true, true);
}

static struct value call_lstrip(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    return strip(o, a, true, false);
}

static struct value call_rstrip(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    return strip(o, a, false, true);
}

static size_t find(struct str s, size_t from, struct str needle)
{
    for (size_t i = from; i + needle.n <= s.n; i++)
        if (memcmp(s.p + i, needle.p, needle.n) == 0)
            return i;
    return s.n;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

/* split() at runs of blanks, of ASCII text. */
static struct value split_blanks(struct expr *x, const struct value *o)
{
    struct expr_items l = {0};
    struct str s = o->text;
    if (!is_ascii(s) || o->kind != VALUE_STR)
        return expr_unknown();
    for (size_t i = 0; i < s.n;) {
        size_t start = i;
        while (i < s.n && !is_blank(s.p[i]))
            i++;
        if (i > start)
            expr_items_add(x, &l, expr_str(str_slice(s, start, i)));
        while (i < s.n && is_blank(s.p[i]))
            i++;
    }
    return expr_items_end(x, &l, VALUE_LIST);
}

static struct value call_split(struct expr *x, const struct value *o, const struct value *a)
{
    struct expr_items l = {0};
    struct str s = o->text;
    if (!a->n_items || (a->n_items == 1 && a->items[0].kind == VALUE_NONE))
        return split_blanks(x, o);
    struct str sep = a->items[0].text;
    int64_t most = a->n_items > 1 ? a->items[1].i : -1;
    if (a->items[0].kind != o->kind || !sep.n || (a->n_items > 1 && !expr_is_int(&a->items[1])))
        return expr_unknown();
    size_t start = 0, at;
    while (most-- != 0 && (at = find(s, start, sep)) < s.n) {
        expr_items_add(x, &l, same_kind(o, str_slice(s, start, at)));
        start = at + sep.n;
    }
    expr_items_add(x, &l, same_kind(o, str_slice(s, start, s.n)));
    return expr_items_end(x, &l, VALUE_LIST);
}

/* At "\n" alone: other line ends stay unknown. */
static struct value call_splitlines(struct expr *x, const struct value *o, const struct value *a)
{
    struct expr_items l = {0};
    struct str rest = o->text, line;
    (void)a;
    for (size_t i = 0; i < rest.n; i++) {
        unsigned char c = (unsigned char)rest.p[i];
        if ((c < 0x20 && c != '\n' && c != '\t') || c >= 0x80)
            return expr_unknown();
    }
    if (rest.n && rest.p[rest.n - 1] == '\n')
        rest.n--;
    while (o->text.n && str_next(&rest, '\n', &line))
        expr_items_add(x, &l, same_kind(o, line));
    return expr_items_end(x, &l, VALUE_LIST);
}

static struct value call_join(struct expr *x, const struct value *o, const struct value *a)
{
    struct value *items;
    uint32_t n;
    struct buf b = {0};
    bool known = expr_iterate(x, &a->items[0], &items, &n);
    for (uint32_t i = 0; known && i < n; i++) {
        known = items[i].kind == o->kind && b.n < EXPR_MAX_TEXT;
        if (i)
            buf_str(&b, o->text);
        buf_str(&b, items[i].text);
    }
    if (known)
        return expr_buf(x, &b, o->kind);
    buf_release(&b);
    return expr_unknown();
}

static struct value call_replace(struct expr *x, const struct value *o, const struct value *a)
{
    struct buf b = {0};
    struct str s = o->text, from = a->items[0].text, to = a->items[1].text;
    size_t start = 0, at;
    if (!all_strings(o, a) || !from.n)
        return expr_unknown();
    while ((at = find(s, start, from)) < s.n && b.n < EXPR_MAX_TEXT) {
        buf_str(&b, str_slice(s, start, at));
        buf_str(&b, to);
        start = at + from.n;
    }
    buf_str(&b, str_slice(s, start, s.n));
    return expr_buf(x, &b, o->kind);
}

typedef bool test_part(struct str s, struct str part);

static struct value tested(const struct value *o, const struct value *a, test_part *test)
{
    const struct value *v = &a->items[0];
    if (v->kind == o->kind)
        return expr_bool(test(o->text, v->text));
    for (uint32_t i = 0; v->kind == VALUE_TUPLE && i < v->n_items; i++) {
        if (v->items[i].kind != o->kind)
            return expr_unknown();
        if (test(o->text, v->items[i].text))
            return expr_bool(1);
    }
    return v->kind == VALUE_TUPLE ? expr_bool(0) : expr_unknown();
}

static struct value call_startswith(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    return tested(o, a, str_starts);
}

static struct value call_endswith(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    return tested(o, a, str_ends);
}

static bool has_surrogate(struct str s)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if ((unsigned char)s.p[i] == 0xed && (unsigned char)s.p[i + 1] >= 0xa0)
            return true;
    return false;
}

/* "utf-8" in its usual spellings, and any name that extends ASCII for ASCII text. */
static bool is_utf8(struct str name, bool ascii)
{
    static const char *const same[] = {"utf-8", "utf8", "UTF-8", "UTF8", "utf_8"};
    static const char *const extend[] = {"ascii", "us-ascii", "ASCII", "latin-1", "latin1", "iso-8859-1"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (expr_is(name, same[i]))
            return true;
    for (size_t i = 0; ascii && i < sizeof extend / sizeof *extend; i++)
        if (expr_is(name, extend[i]))
            return true;
    return false;
}

static struct value call_encode(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    const struct value *name = a->n_items ? a->items : NULL;
    bool odd = name && (name->kind != VALUE_STR || !is_utf8(name->text, is_ascii(o->text)));
    if (odd || has_surrogate(o->text))
        return expr_unknown();
    return (struct value){.kind = VALUE_BYTES, .text = o->text};
}

static struct value call_decode(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    bool named = a->n_items == 1;
    if (!is_ascii(o->text) || (named && (a->items[0].kind != VALUE_STR || !is_utf8(a->items[0].text, true))))
        return expr_unknown();
    return expr_str(o->text);
}

static struct value call_count(struct expr *x, const struct value *o, const struct value *a)
{
    int64_t n = 0;
    struct str part = a->items[0].text;
    (void)x;
    if (a->items[0].kind != o->kind || !part.n)
        return expr_unknown();
    for (size_t at = 0; (at = find(o->text, at, part)) < o->text.n; at += part.n)
        n++;
    return expr_int(n);
}

static struct value call_isdigit(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    (void)a;
    for (size_t i = 0; i < o->text.n; i++)
        if (o->text.p[i] < '0' || o->text.p[i] > '9')
            return is_ascii(o->text) ? expr_bool(0) : expr_unknown();
    return expr_bool(o->text.n > 0);
}

/* ---- dictionaries, lists, marks, objects ---- */

static struct value view(struct expr *x, const struct value *d, char what)
{
    uint32_t n = d->n_items / 2;
    struct value *out = expr_array(x, n);
    for (uint32_t i = 0; out && i < n; i++)
        out[i] = what == 'k'   ? d->items[2 * i]
                 : what == 'v' ? d->items[2 * i + 1]
                               : expr_sequence(VALUE_TUPLE, &d->items[2 * i], 2, EXPR_PLAIN_SEQUENCE);
    return out ? expr_sequence(VALUE_LIST, out, n, EXPR_VIEW) : expr_unknown();
}

static struct value call_keys(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return view(x, o, 'k');
}

static struct value call_values(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return view(x, o, 'v');
}

static struct value call_items(struct expr *x, const struct value *o, const struct value *a)
{
    (void)a;
    return view(x, o, 'i');
}

static struct value call_get(struct expr *x, const struct value *o, const struct value *a)
{
    int in = expr_contains(x, &a->items[0], o);
    if (in == 1)
        return expr_index(x, o, &a->items[0]);
    return in < 0 ? expr_unknown() : a->n_items > 1 ? a->items[1] : (struct value){.kind = VALUE_NONE};
}

static struct value call_copy(struct expr *x, const struct value *o, const struct value *a)
{
    (void)x;
    (void)a;
    return *o;
}

static const struct {
    enum value_kind kind;
    const char *name;
    method *call;
    uint8_t least, most;
} methods[] = {
    {VALUE_STR, "upper", call_upper, 0, 0},           {VALUE_STR, "lower", call_lower, 0, 0},
    {VALUE_STR, "swapcase", call_swapcase, 0, 0},     {VALUE_STR, "capitalize", call_capitalize, 0, 0},
    {VALUE_STR, "title", call_title, 0, 0},           {VALUE_STR, "strip", call_strip, 0, 1},
    {VALUE_STR, "lstrip", call_lstrip, 0, 1},         {VALUE_STR, "rstrip", call_rstrip, 0, 1},
    {VALUE_STR, "split", call_split, 0, 2},           {VALUE_STR, "splitlines", call_splitlines, 0, 0},
    {VALUE_STR, "join", call_join, 1, 1},             {VALUE_STR, "replace", call_replace, 2, 2},
    {VALUE_STR, "startswith", call_startswith, 1, 1}, {VALUE_STR, "endswith", call_endswith, 1, 1},
    {VALUE_STR, "encode", call_encode, 0, 1},         {VALUE_STR, "count", call_count, 1, 1},
    {VALUE_STR, "isdigit", call_isdigit, 0, 0},       {VALUE_BYTES, "upper", call_upper, 0, 0},
    {VALUE_BYTES, "lower", call_lower, 0, 0},         {VALUE_BYTES, "split", call_split, 1, 2},
    {VALUE_BYTES, "join", call_join, 1, 1},           {VALUE_BYTES, "replace", call_replace, 2, 2},
    {VALUE_BYTES, "startswith", call_startswith, 1, 1}, {VALUE_BYTES, "endswith", call_endswith, 1, 1},
    {VALUE_BYTES, "strip", call_strip, 0, 1},         {VALUE_BYTES, "decode", call_decode, 0, 1},
    {VALUE_DICT, "keys", call_keys, 0, 0},            {VALUE_DICT, "values", call_values, 0, 0},
    {VALUE_DICT, "items", call_items, 0, 0},          {VALUE_DICT, "get", call_get, 1, 2},
    {VALUE_DICT, "copy", call_copy, 0, 0},            {VALUE_LIST, "copy", call_copy, 0, 0},
    {VALUE_SET, "copy", call_copy, 0, 0}};

/* Paths stay paths. */
static struct value path_method(const struct value *o, struct str name)
{
    static const char *const same[] = {"joinpath", "resolve", "absolute", "with_suffix", "with_name", "expanduser"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (str_starts(o->text, STR("pathlib.")) && expr_is(name, same[i]))
            return *o;
    return expr_unknown();
}

struct value expr_method(struct expr *x, const struct value *o, struct str name, const struct value *a)
{
    if (o->kind == VALUE_PLAIN)
        return path_method(o, name);
    bool several = a->kind == VALUE_UNKNOWN || a->n_items != 1 || a->n_keywords;
    if (o->kind == VALUE_MARK && expr_is(name, "with_args") && several) /* of one: it may decorate */
        return expr_call(x, o, a);
    if (a->kind == VALUE_UNKNOWN || (o->called && (o->kind == VALUE_LIST || o->kind == VALUE_TUPLE)))
        return expr_unknown();
    if (o->kind == VALUE_STR && expr_is(name, "format"))
        return expr_format_call(x, o, a);
    for (size_t i = 0; i < sizeof methods / sizeof *methods && !a->n_keywords; i++)
        if (methods[i].kind == o->kind && *methods[i].name == *name.p && expr_is(name, methods[i].name))
            return a->n_items >= methods[i].least && a->n_items <= methods[i].most ? methods[i].call(x, o, a)
                                                                                     : expr_unknown();
    return expr_unknown();
}
