#include "generator/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool put_float(double f, struct buf *out)
{
    char text[64];
    if (isnan(f) || isinf(f)) {
        buf_z(out, isnan(f) ? "nan" : f < 0 ? "-inf" : "inf");
        return true;
    }
    int digits = 1;
    for (; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, f);
        if (strtod(text, NULL) == f)
            break;
    }
    char *e = strchr(text, 'e');
    int exponent = atoi(e + 1);
    if (exponent >= 16 || exponent < -4) {
        *e = '\0';
        buf_printf(out, "%se%c%02d", text, exponent < 0 ? '-' : '+', abs(exponent));
        return true;
    }
    snprintf(text, sizeof text, "%.*f", digits - 1 - exponent > 0 ? digits - 1 - exponent : 0, f);
    buf_z(out, text);
    if (!strchr(text, '.'))
        buf_z(out, ".0");
    return true;
}

/* Without text it is f times j; its real part is a negative zero when it was negated. */
static bool put_imaginary(double f, struct buf *out)
{
    bool negative = signbit(f) && !isnan(f);
    buf_z(out, negative ? "(-0-" : "");
    put_float(fabs(f), out);
    if (str_ends(buf_view(out), STR(".0")))
        out->n -= 2;
    buf_z(out, negative ? "j)" : "j");
    return true;
}

bool value_str(const struct value *v, struct buf *out)
{
    switch (v->kind) {
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
        return put_float(v->f, out);
    case VALUE_COMPLEX:
        if (!v->text.n)
            return put_imaginary(v->f, out);
        buf_str(out, v->text);
        return true;
    case VALUE_STR:
    case VALUE_ENUM:
        buf_str(out, v->text);
        return true;
    case VALUE_BYTES:
    case VALUE_TUPLE:
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_DICT:
        return value_repr(v, out);
    case VALUE_UNKNOWN:
    case VALUE_PARAM:
    case VALUE_MARK:
    case VALUE_PATTERN:
    case VALUE_NAMED:
    case VALUE_EXTERNAL:
    case VALUE_PLAIN:
        break;
    }
    return false;
}

static bool repr_text(const struct value *v, struct buf *out)
{
    bool bytes = v->kind == VALUE_BYTES;
    bool single = str_chr(v->text, '\'') < v->text.n, twice = str_chr(v->text, '"') < v->text.n;
    char quote = single && !twice ? '"' : '\'';
    if (bytes)
        buf_char(out, 'b');
    buf_char(out, quote);
    for (size_t i = 0; i < v->text.n; i++) {
        unsigned char c = (unsigned char)v->text.p[i];
        if (c == (unsigned char)quote || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c == '\n' || c == '\t' || c == '\r')
            buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
        else if (c < 0x20 || c == 0x7f || (bytes && c >= 0x80))
            buf_printf(out, "\\x%02x", c);
        else if (c >= 0x80)
            return false; /* printable or not: the Unicode database knows */
        else
            buf_char(out, (char)c);
    }
    buf_char(out, quote);
    return true;
}

static bool repr_items(const struct value *v, struct buf *out)
{
    bool dict = v->kind == VALUE_DICT;
    if ((v->kind == VALUE_SET && v->n_items != 1) || v->called)
        return false;
    buf_char(out, v->kind == VALUE_TUPLE ? '(' : v->kind == VALUE_LIST ? '[' : '{');
    for (uint32_t i = 0; i < v->n_items; i++) {
        if (i)
            buf_z(out, dict && i % 2 ? ": " : ", ");
        if (!value_repr(&v->items[i], out))
            return false;
    }
    if (v->kind == VALUE_TUPLE && v->n_items == 1)
        buf_char(out, ',');
    buf_char(out, v->kind == VALUE_TUPLE ? ')' : v->kind == VALUE_LIST ? ']' : '}');
    return true;
}

bool value_repr(const struct value *v, struct buf *out)
{
    switch (v->kind) {
    case VALUE_STR:
    case VALUE_BYTES:
        return repr_text(v, out);
    case VALUE_TUPLE:
    case VALUE_LIST:
    case VALUE_SET:
    case VALUE_DICT:
        return repr_items(v, out);
    case VALUE_NONE:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_COMPLEX:
        return value_str(v, out);
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
    case VALUE_SET:
    case VALUE_DICT:
        return v->n_items > 0 ? 1 : v->called ? -1 : 0; /* an iterator is true */
    case VALUE_PATTERN:
    case VALUE_MARK:
    case VALUE_PARAM:
        return 1;
    case VALUE_UNKNOWN:
        return v->i == VALUE_IS_TRUE ? 1 : v->i == VALUE_IS_FALSE ? 0 : -1;
    case VALUE_COMPLEX:
    case VALUE_ENUM:
    case VALUE_NAMED:
    case VALUE_EXTERNAL:
    case VALUE_PLAIN:
        break;
    }
    return v->kind == VALUE_NAMED ? 1 : -1;
}

static bool number(const struct value *v, double *out)
{
    *out = v->kind == VALUE_FLOAT ? v->f : (double)v->i;
    return v->kind == VALUE_INT || v->kind == VALUE_BOOL || v->kind == VALUE_FLOAT;
}

static bool is_sequence(const struct value *v)
{
    return (v->kind == VALUE_TUPLE || v->kind == VALUE_LIST) && !v->called;
}

static bool is_known(const struct value *v)
{
    return v->kind == VALUE_NONE || v->kind == VALUE_BOOL || v->kind == VALUE_INT || v->kind == VALUE_FLOAT ||
           v->kind == VALUE_STR || v->kind == VALUE_BYTES || is_sequence(v);
}

int value_equal(const struct value *a, const struct value *b)
{
    double x, y;
    if (!is_known(a) || !is_known(b))
        return -1;
    if (number(a, &x) && number(b, &y))
        return a->kind != VALUE_FLOAT && b->kind != VALUE_FLOAT ? a->i == b->i : x == y;
    if (a->kind != b->kind)
        return 0;
    if (a->kind == VALUE_STR || a->kind == VALUE_BYTES)
        return str_eq(a->text, b->text);
    if (!is_sequence(a))
        return 1;
    if (a->n_items != b->n_items)
        return 0;
    int all = 1;
    for (uint32_t i = 0; i < a->n_items; i++) {
        int e = value_equal(&a->items[i], &b->items[i]);
        if (e == 0)
            return 0;
        all = e < 0 ? -1 : all;
    }
    return all;
}

int value_less(const struct value *a, const struct value *b)
{
    double x, y;
    if (number(a, &x) && number(b, &y))
        return x < y;
    if (a->kind != b->kind)
        return -1;
    if (a->kind == VALUE_STR || a->kind == VALUE_BYTES)
        return str_cmp(a->text, b->text) < 0;
    if (!is_sequence(a))
        return -1;
    for (uint32_t i = 0; i < a->n_items && i < b->n_items; i++) {
        int e = value_equal(&a->items[i], &b->items[i]);
        if (e != 1)
            return e < 0 ? -1 : value_less(&a->items[i], &b->items[i]);
    }
    return a->n_items < b->n_items;
}

const struct value *value_keyword(const struct value *v, struct str name)
{
    for (uint32_t i = 0; i < v->n_keywords; i++)
        if (str_eq(v->keywords[i].name, name))
            return &v->keywords[i].value;
    return NULL;
}
