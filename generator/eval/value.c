#include "generator/eval/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deeper values than expressions can make are not followed. */
enum { MAX_DEPTH = 250 };

static bool put_repr(const struct value *v, struct buf *out, int depth);

/* ---- text of one value ---- */

/* The shortest text that reads back as f, laid out as CPython's float_repr_style "short". */
static void put_float(double f, struct buf *out)
{
    char text[64];
    if (isnan(f) || isinf(f)) {
        buf_z(out, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
        return;
    }
    int digits = 1;
    for (; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, f);
        if (strtod(text, NULL) == f)
            break;
    }
    char *e = strchr(text, 'e');
    int exponent = e ? atoi(e + 1) : 0;
    if (e && (exponent >= 16 || exponent < -4)) {
        *e = '\0';
        buf_printf(out, "%se%c%02d", text, exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    snprintf(text, sizeof text, "%.*f", digits - 1 - exponent > 0 ? digits - 1 - exponent : 0, f);
    buf_z(out, text);
    if (!strchr(text, '.'))
        buf_z(out, ".0");
}

/* The code point at s.p[*i], which moves past it; surrogates are as in WTF-8. -1: no UTF-8. */
static int32_t next_point(struct str s, size_t *i)
{
    unsigned char c = (unsigned char)s.p[(*i)++];
    int more = c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : c < 0xf5 ? 3 : -1;
    if (more < 0 || s.n - *i < (size_t)more)
        return -1;
    int32_t point = more == 0 ? c : c & (0x3f >> more);
    for (int k = 0; k < more; k++) {
        c = (unsigned char)s.p[(*i)++];
        if ((c & 0xc0) != 0x80)
            return -1;
        point = point << 6 | (c & 63);
    }
    return point;
}

struct range {
    int32_t from, to;
};

static bool is_in(const struct range *r, size_t n, int32_t c)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].from && c <= r[i].to)
            return true;
    return false;
}

/* str.isprintable for a code point that is not ASCII: 1, 0, or -1 where Unicode versions may differ
 * (CPython 3.8 has Unicode 12.1; only blocks without holes are listed). */
static int is_printable(int32_t c)
{
    static const struct range no[] = {{0x80, 0xa0},     {0xad, 0xad},     {0x2000, 0x200f},   {0x2028, 0x202f},
                                      {0x205f, 0x206f}, {0x3000, 0x3000}, {0xd800, 0xf8ff},   {0xfeff, 0xfeff},
                                      {0xfff9, 0xfffb}, {0xfffe, 0xffff}, {0xf0000, 0x10ffff}};
    static const struct range yes[] = {
        {0xa1, 0xac},     {0xae, 0x377},    {0x37a, 0x37f},   {0x384, 0x38a},     {0x38e, 0x3a1},    {0x3a3, 0x52f},
        {0x531, 0x556},   {0x5d0, 0x5ea},   {0x620, 0x6dc},   {0x904, 0x939},     {0xe01, 0xe3a},    {0x10d0, 0x10ff},
        {0x1e00, 0x1f15}, {0x2010, 0x2027}, {0x2030, 0x205e}, {0x2070, 0x2071},   {0x2074, 0x208e},  {0x20a0, 0x20bf},
        {0x2100, 0x218b}, {0x2190, 0x2426}, {0x2460, 0x2b73}, {0x3001, 0x303f},   {0x3041, 0x3096},  {0x3099, 0x30ff},
        {0x3131, 0x318e}, {0x4e00, 0x9fef}, {0xac00, 0xd7a3}, {0xf900, 0xfa6d},   {0xff01, 0xffbe},  {0x1d400, 0x1d454},
        {0x1f300, 0x1f6d5}, {0x1f910, 0x1f93e}, {0x20000, 0x2a6d6}};
    if (is_in(no, sizeof no / sizeof *no, c))
        return 0;
    return is_in(yes, sizeof yes / sizeof *yes, c) ? 1 : -1;
}

static bool put_wide(struct str s, size_t *i, struct buf *out)
{
    size_t start = *i;
    int32_t c = next_point(s, i);
    int printable = c < 0 ? -1 : is_printable(c);
    if (printable == 1)
        buf_add(out, s.p + start, *i - start);
    else if (printable == 0)
        buf_printf(out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    return printable >= 0;
}

static bool repr_text(const struct value *v, struct buf *out)
{
    bool bytes = v->kind == VALUE_BYTES;
    struct str s = v->text;
    char quote = str_chr(s, '\'') < s.n && str_chr(s, '"') == s.n ? '"' : '\'';
    if (bytes)
        buf_char(out, 'b');
    buf_char(out, quote);
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x80 && !bytes) {
            if (!put_wide(s, &i, out))
                return false;
            continue;
        }
        if (c == (unsigned char)quote || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\t' || c == '\r')
            buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < 0x20 || c >= 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
        i++;
    }
    buf_char(out, quote);
    return true;
}

static bool repr_items(const struct value *v, struct buf *out, int depth)
{
    bool dict = v->kind == VALUE_DICT;
    if (v->kind == VALUE_SET && v->n_items != 1) {
        if (v->n_items == 0)
            buf_z(out, "set()");
        return v->n_items == 0;
    }
    if (v->called || depth > MAX_DEPTH)
        return false;
    buf_char(out, v->kind == VALUE_TUPLE ? '(' : v->kind == VALUE_LIST ? '[' : '{');
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (i)
            buf_z(out, dict && i % 2 ? ": " : ", ");
        if (!put_repr(&v->items[i], out, depth + 1))
            return false;
    }
    if (v->kind == VALUE_TUPLE && v->n_items == 1)
        buf_char(out, ',');
    buf_char(out, v->kind == VALUE_TUPLE ? ')' : v->kind == VALUE_LIST ? ']' : '}');
    return true;
}

static bool put_repr(const struct value *v, struct buf *out, int depth)
{
    switch (v->kind) {
    case VALUE_STR:
    case VALUE_BYTES:
        return repr_text(v, out);
    case VALUE_TUPLE:
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_DICT:
        return repr_items(v, out, depth);
    case VALUE_NONE:
        buf_z(out, "None");
        return true;
    case VALUE_BOOL:
        buf_z(out, v->i ? "True" : "False");
        return true;
    case VALUE_INT:
        buf_printf(out, "%lld", (long long)v->i);
        return true;
    case VALUE_FLOAT:
        put_float(v->f, out);
        return true;
    case VALUE_COMPLEX:
        buf_str(out, v->text);
        return true;
    case VALUE_UNKNOWN:
    case VALUE_PARAM:
    case VALUE_MARK:
    case VALUE_PATTERN:
    case VALUE_ENUM:
    case VALUE_NAMED:
    case VALUE_EXTERNAL:
    case VALUE_PLAIN:
        break;
    }
    return false;
}

bool value_repr(const struct value *v, struct buf *out)
{
    return put_repr(v, out, 0);
}

bool value_str(const struct value *v, struct buf *out)
{
    if (v->kind != VALUE_STR && v->kind != VALUE_ENUM)
        return put_repr(v, out, 0);
    buf_str(out, v->text);
    return true;
}

/* ---- truth, equality, order ---- */

/* Is this the repr of a complex zero? Any other has another digit, or is nan or inf. */
static bool is_zero(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((text.p[i] >= '1' && text.p[i] <= '9') || text.p[i] == 'n')
            return false;
    return true;
}

int value_truth(const struct value *v)
{
    switch (v->kind) {
    case VALUE_NONE:
        return 0;
    case VALUE_BOOL:
    case VALUE_INT:
        return v->i != 0;
    case VALUE_FLOAT:
        return v->f != 0;
    case VALUE_STR:
    case VALUE_BYTES:
        return v->text.n > 0;
    case VALUE_TUPLE:
    case VALUE_LIST:
        return v->n_items > 0 ? 1 : v->called ? -1 : 0; /* an iterator is true */
    case VALUE_SET:
    case VALUE_DICT:
        return v->n_items > 0;
    case VALUE_PATTERN:
    case VALUE_MARK:
    case VALUE_PARAM:
    case VALUE_NAMED:
        return 1;
    case VALUE_COMPLEX:
        return !is_zero(v->text);
    case VALUE_UNKNOWN: /* "unknown or 1": true, whatever it is */
        return v->i == VALUE_IS_TRUE ? 1 : v->i == VALUE_IS_FALSE ? 0 : -1;
    case VALUE_ENUM:
    case VALUE_EXTERNAL:
    case VALUE_PLAIN:
        break;
    }
    return -1;
}

static bool is_integer(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_BOOL;
}

static bool is_number(const struct value *v)
{
    return is_integer(v) || v->kind == VALUE_FLOAT;
}

static bool is_sequence(const struct value *v)
{
    return v->kind == VALUE_TUPLE || v->kind == VALUE_LIST;
}

/* a <=> b of an integer and a float, exactly: -1, 0, 1; 2 for nan. */
static int order_mixed(int64_t a, double b)
{
    if (isnan(b))
        return 2;
    if (b >= 0x1p63)
        return -1;
    if (b < -0x1p63)
        return 1;
    int64_t whole = (int64_t)b;
    double rest = b - (double)whole;
    if (a != whole)
        return a < whole ? -1 : 1;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

static int order_numbers(const struct value *a, const struct value *b)
{
    if (is_integer(a) && is_integer(b))
        return a->i < b->i ? -1 : a->i > b->i;
    if (is_integer(a))
        return order_mixed(a->i, b->f);
    if (is_integer(b)) {
        int o = order_mixed(b->i, a->f);
        return o == 2 ? 2 : -o;
    }
    return isnan(a->f) || isnan(b->f) ? 2 : a->f < b->f ? -1 : a->f > b->f;
}

/* Members of one enumeration with two names are two objects; the rest could be equal by value. */
static int equal_enums(struct str a, struct str b)
{
    size_t x = str_rchr(a, '.'), y = str_rchr(b, '.');
    return x < a.n && y < b.n && str_eq(str_slice(a, 0, x), str_slice(b, 0, y)) && !str_eq(a, b) ? 0 : -1;
}

static int equal_named(const struct value *a, const struct value *b)
{
    if (!str_eq(a->text, b->text))
        return 0;
    return a->ref == b->ref && !a->i && !b->i ? 1 : -1;
}

static int equal(const struct value *a, const struct value *b, int depth);

static int equal_items(const struct value *a, const struct value *b, int depth)
{
    int all = 1;
    if (a->called || b->called || depth > MAX_DEPTH)
        return -1;
    if (a->n_items != b->n_items)
        return 0;
    for (uint32_t i = 0; i < a->n_items; i++) {
        int e = equal(&a->items[i], &b->items[i], depth + 1);
        if (e == 0 && is_number(&a->items[i]) && is_number(&b->items[i]) &&
            order_numbers(&a->items[i], &b->items[i]) == 2)
            e = -1; /* inside containers an object equals itself, even nan */
        if (e == 0)
            return 0;
        all = e < 0 ? -1 : all;
    }
    return all;
}

/* Kinds whose objects equal only those of their own kind (numbers aside). */
static bool is_closed(const struct value *v)
{
    return is_number(v) || v->kind == VALUE_NONE || v->kind == VALUE_STR || v->kind == VALUE_BYTES ||
           v->kind == VALUE_SET || v->kind == VALUE_DICT || v->kind == VALUE_NAMED ||
           (is_sequence(v) && !v->called);
}

static int equal(const struct value *a, const struct value *b, int depth)
{
    if (a->kind == VALUE_ENUM && b->kind == VALUE_ENUM)
        return equal_enums(a->text, b->text);
    if (!is_closed(a) || !is_closed(b))
        return -1;
    if (is_number(a) && is_number(b))
        return order_numbers(a, b) == 0;
    if (a->kind != b->kind)
        return 0;
    if (a->kind == VALUE_STR || a->kind == VALUE_BYTES)
        return str_eq(a->text, b->text);
    if (a->kind == VALUE_NAMED)
        return equal_named(a, b);
    if (a->kind == VALUE_SET || a->kind == VALUE_DICT)
        return a->n_items == 0 && b->n_items == 0 ? 1 : a->n_items != b->n_items ? 0 : -1;
    return is_sequence(a) ? equal_items(a, b, depth) : 1;
}

int value_equal(const struct value *a, const struct value *b)
{
    return equal(a, b, 0);
}

static int less(const struct value *a, const struct value *b, int depth)
{
    if (is_number(a) && is_number(b))
        return order_numbers(a, b) == -1;
    if (a->kind != b->kind || depth > MAX_DEPTH)
        return -1;
    if (a->kind == VALUE_STR || a->kind == VALUE_BYTES)
        return str_cmp(a->text, b->text) < 0;
    if (!is_sequence(a) || a->called || b->called)
        return -1;
    for (uint32_t i = 0; i < a->n_items && i < b->n_items; i++) {
        int e = equal(&a->items[i], &b->items[i], depth + 1);
        if (e != 1)
            return e < 0 ? -1 : less(&a->items[i], &b->items[i], depth + 1);
    }
    return a->n_items < b->n_items;
}

int value_less(const struct value *a, const struct value *b)
{
    return less(a, b, 0);
}

const struct value *value_keyword(const struct value *v, struct str name)
{
    for (uint32_t i = 0; i < v->n_keywords; i++)
        if (str_eq(v->keywords[i].name, name))
            return &v->keywords[i].value;
    return NULL;
}
