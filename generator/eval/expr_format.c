#include "generator/eval/expr_parse.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The common part of format specs and "%" conversions: [-0] width [.precision] type. */
struct spec {
    bool zero, left;
    char align; /* '<', '>' or 0 */
    int width, precision; /* precision -1: none */
    char type;            /* 0: none */
};

/* At most 3 digits. */
static int read_number(struct str s, size_t *i)
{
    int n = 0;
    for (int k = 0; k < 3 && *i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9'; k++)
        n = n * 10 + (s.p[(*i)++] - '0');
    return n;
}

static void read_size(struct str s, size_t *i, struct spec *f)
{
    if (*i < s.n && s.p[*i] == '0') {
        f->zero = true;
        ++*i;
    }
    f->width = read_number(s, i);
    f->precision = -1;
    if (*i + 1 < s.n && s.p[*i] == '.' && s.p[*i + 1] >= '0' && s.p[*i + 1] <= '9') {
        ++*i;
        f->precision = read_number(s, i);
    }
}

static void put_padded(struct buf *out, struct str text, int width, bool left)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; n++)
        expr_char(text, &i);
    if (left)
        buf_str(out, text);
    for (; n < (size_t)width; n++)
        buf_char(out, ' ');
    if (!left)
        buf_str(out, text);
}

/* A number's text: zeros come after its sign. */
static bool put_number(struct buf *out, const char *text, int n, const struct spec *f)
{
    if (n < 0 || (f->left && f->zero))
        return false;
    if (f->zero && *text == '-') {
        buf_char(out, '-');
        text++;
        n--;
    }
    int width = f->width - (f->zero && text[-1] == '-');
    for (int k = n; f->zero && k < width; k++)
        buf_char(out, '0');
    put_padded(out, (struct str){text, (size_t)n}, f->zero ? 0 : f->width, f->left);
    return true;
}

static bool put_integer(const struct value *v, const struct spec *f, struct buf *out)
{
    char text[34] = " ", *p = text + 1; /* put_number looks before it for the sign */
    size_t cap = sizeof text - 1;
    long long i = v->i;
    if (f->precision >= 0 || (f->type && f->type != 'd' && i < 0))
        return false;
    switch (f->type) {
    case 'x':
        return put_number(out, p, snprintf(p, cap, "%llx", (unsigned long long)i), f);
    case 'X':
        return put_number(out, p, snprintf(p, cap, "%llX", (unsigned long long)i), f);
    case 'o':
        return put_number(out, p, snprintf(p, cap, "%llo", (unsigned long long)i), f);
    default:
        return put_number(out, p, snprintf(p, cap, "%lld", i), f);
    }
}

static bool put_real(double d, const struct spec *f, struct buf *out)
{
    char text[1500] = " ", *p = text + 1;
    int precision = f->precision < 0 ? 6 : f->precision, n = -1;
    if (isnan(d) || isinf(d))
        return false;
    if (f->type == 'f')
        n = snprintf(p, sizeof text - 1, "%.*f", precision, d);
    else if (f->type == 'e')
        n = snprintf(p, sizeof text - 1, "%.*e", precision, d);
    else if (f->type == 'g')
        n = snprintf(p, sizeof text - 1, "%.*g", precision, d);
    return n < (int)sizeof text - 1 && put_number(out, p, n, f);
}

static bool put_string(struct str text, const struct spec *f, struct buf *out, bool left)
{
    if (f->precision >= 0 || f->zero)
        return false;
    put_padded(out, text, f->width, left);
    return true;
}

bool expr_format(const struct value *v, struct str s, struct buf *out)
{
    struct spec f = {0};
    size_t i = 0;
    if (!s.n) /* an enumeration's text differs by version */
        return v->kind != VALUE_ENUM && value_str(v, out);
    if (s.p[0] == '<' || s.p[0] == '>')
        f.align = s.p[i++];
    read_size(s, &i, &f);
    if (i < s.n)
        f.type = s.p[i++];
    if (i != s.n || (f.align && f.zero))
        return false;
    f.left = f.align == '<';
    if (v->kind == VALUE_STR)
        return (!f.type || f.type == 's') && put_string(v->text, &f, out, f.align != '>');
    if (v->kind == VALUE_INT && (!f.type || strchr("dxXo", f.type)))
        return put_integer(v, &f, out);
    if ((v->kind == VALUE_FLOAT || v->kind == VALUE_INT) && f.type && strchr("feg", f.type))
        return put_real(expr_double(v), &f, out);
    return false;
}

/* ---- "text" % value ---- */

static bool put_conversion(const struct value *v, struct spec *f, struct buf *out)
{
    if (f->type == 'd' || f->type == 'i' || f->type == 'x' || f->type == 'X' || f->type == 'o') {
        f->type = f->type == 'i' ? 'd' : f->type;
        return expr_is_int(v) && put_integer(v, f, out);
    }
    if (f->type == 'f' || f->type == 'e' || f->type == 'g')
        return expr_is_number(v) && put_real(expr_double(v), f, out);
    if ((f->type != 's' && f->type != 'r') || f->zero)
        return false;
    struct buf text = {0};
    bool known = f->type == 's' ? value_str(v, &text) : value_repr(v, &text);
    known = known && put_string(text.p ? buf_view(&text) : STR(""), f, out, f->left);
    buf_release(&text);
    return known;
}

struct value expr_percent(struct expr *x, const struct value *text, const struct value *v)
{
    const struct value *items = v->kind == VALUE_TUPLE ? v->items : v;
    uint32_t n = v->kind == VALUE_TUPLE ? v->n_items : 1, used = 0;
    struct buf b = {0};
    struct str s = text->text;
    bool known = v->kind != VALUE_DICT && v->kind != VALUE_UNKNOWN && !(v->kind == VALUE_TUPLE && v->called);
    for (size_t i = 0; i < s.n && known && b.n < EXPR_MAX_TEXT;) {
        struct spec f = {0};
        if (s.p[i] != '%') {
            buf_char(&b, s.p[i++]);
            continue;
        }
        if (++i < s.n && s.p[i] == '%') {
            buf_char(&b, s.p[i++]);
            continue;
        }
        f.left = i < s.n && s.p[i] == '-';
        i += f.left;
        read_size(s, &i, &f);
        f.type = i < s.n ? s.p[i++] : '\0';
        known = f.type && used < n && put_conversion(&items[used++], &f, &b);
    }
    if (known && used == n)
        return expr_buf(x, &b, VALUE_STR);
    buf_release(&b);
    return expr_unknown();
}

/* ---- text.format(args) ---- */

/* The argument that a field names: nothing, a number or a keyword. */
static const struct value *field(const struct value *args, struct str name, uint32_t *automatic)
{
    if (!name.n)
        return *automatic < args->n_items ? &args->items[(*automatic)++] : NULL;
    size_t i = 0;
    if (*name.p < '0' || *name.p > '9')
        return value_keyword(args, name);
    int at = read_number(name, &i);
    return i == name.n && (uint32_t)at < args->n_items ? &args->items[at] : NULL;
}

static bool put_format_field(const struct value *args, struct str inner, uint32_t *automatic, struct buf *out)
{
    size_t colon = str_chr(inner, ':'), mark = str_chr(inner, '!');
    struct str name = str_slice(inner, 0, colon < mark ? colon : mark);
    struct str spec = str_slice(inner, colon + 1, inner.n);
    const struct value *v = field(args, name, automatic);
    if (!v)
        return false;
    if (mark > colon || mark == inner.n)
        return expr_format(v, spec, out);
    struct str conversion = str_slice(inner, mark + 1, colon);
    if (spec.n)
        return false;
    return expr_is(conversion, "r") ? value_repr(v, out) : expr_is(conversion, "s") && value_str(v, out);
}

struct value expr_format_call(struct expr *x, const struct value *text, const struct value *args)
{
    struct str s = text->text;
    struct buf b = {0};
    uint32_t automatic = 0;
    bool known = true;
    for (size_t i = 0; i < s.n && known && b.n < EXPR_MAX_TEXT;) {
        char c = s.p[i];
        bool twice = i + 1 < s.n && s.p[i + 1] == c;
        if ((c != '{' && c != '}') || twice) {
            buf_char(&b, c);
            i += c == '{' || c == '}' ? 2 : 1;
            continue;
        }
        size_t end = i + str_chr(str_slice(s, i, s.n), '}');
        struct str inner = str_slice(s, i + 1, end);
        known = c == '{' && end < s.n && str_chr(inner, '{') == inner.n &&
                put_format_field(args, inner, &automatic, &b);
        i = end + 1;
    }
    if (known)
        return expr_buf(x, &b, VALUE_STR);
    buf_release(&b);
    return expr_unknown();
}
