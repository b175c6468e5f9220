#include "generator/eval/expr_parse.h"

#include "generator/source/token.h"

#include <string.h>

static void put_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        buf_char(out, (char)(0xc0 | c >> 6));
        buf_char(out, (char)(0x80 | (c & 63)));
    } else if (c < 0x10000) {
        buf_char(out, (char)(0xe0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 63)));
        buf_char(out, (char)(0x80 | (c & 63)));
    } else {
        buf_char(out, (char)(0xf0 | c >> 18));
        buf_char(out, (char)(0x80 | (c >> 12 & 63)));
        buf_char(out, (char)(0x80 | (c >> 6 & 63)));
        buf_char(out, (char)(0x80 | (c & 63)));
    }
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Past the backslash at s[*i]; false for what needs the Unicode names, or is an error. */
static bool put_escape(struct buf *out, struct str s, size_t *i, bool bytes)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    if (++*i >= s.n)
        return false;
    char c = s.p[(*i)++];
    const char *at = c ? strchr(from, c) : NULL;
    if (at) {
        buf_char(out, to[at - from]);
        return true;
    }
    if (c == '\n')
        return true;
    if (c >= '0' && c <= '7') {
        uint32_t v = (uint32_t)(c - '0');
        for (int k = 0; k < 2 && *i < s.n && s.p[*i] >= '0' && s.p[*i] <= '7'; k++)
            v = v * 8 + (uint32_t)(s.p[(*i)++] - '0');
        if (bytes)
            buf_char(out, (char)v);
        else
            put_utf8(out, v);
        return true;
    }
    int digits = c == 'x' ? 2 : !bytes && c == 'u' ? 4 : !bytes && c == 'U' ? 8 : 0;
    if (!bytes && c == 'N')
        return false;
    if (!digits) {
        buf_char(out, '\\');
        buf_char(out, c);
        return true;
    }
    uint32_t v = 0;
    for (int k = 0; k < digits; k++) {
        if (*i >= s.n || hex(s.p[*i]) < 0)
            return false;
        v = v << 4 | (uint32_t)hex(s.p[(*i)++]);
    }
    if (v > 0x10ffff)
        return false;
    if (bytes)
        buf_char(out, (char)v);
    else
        put_utf8(out, v);
    return true;
}

/* The value of s, which is inside of what is read now. */
static struct value read_inner(struct expr *x, struct str s)
{
    const char *p = x->p, *end = x->end;
    x->p = s.p;
    x->end = s.p + s.n;
    struct value v = expr_read(x);
    expr_blank(x);
    x->bad = x->bad || x->p < x->end;
    x->p = p;
    x->end = end;
    return v;
}

/* Where the field's expression ends: at "}", "!" or ":". */
static size_t field_end(struct str s, size_t i)
{
    int depth = 0;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (c == '(' || c == '[' || c == '{')
            depth++;
        else if (depth > 0 && (c == ')' || c == ']' || c == '}'))
            depth--;
        else if (c == '"' || c == '\'' || c == '\\' || c == '#')
            return s.n;
        else if (depth == 0 && (c == '}' || c == ':' || (c == '!' && i + 1 < s.n && s.p[i + 1] != '=')))
            return i;
    }
    return i;
}

/* {expr}, {expr!r}, {expr!s}, {expr:spec}: false for "=", nested specs and what is not known. */
static bool put_field(struct expr *x, struct buf *out, struct str s, size_t *i)
{
    size_t start = *i + 1, end = field_end(s, start), spec;
    char conversion = '\0';
    *i = end;
    if (end < s.n && s.p[end] == '!' && end + 1 < s.n) {
        conversion = s.p[end + 1];
        *i += 2;
    }
    spec = *i += *i < s.n && s.p[*i] == ':';
    while (*i < s.n && s.p[*i] != '}' && s.p[*i] != '{' && s.p[*i] != '\\')
        ++*i;
    if (*i >= s.n || s.p[*i] != '}' || (s.p[end] != ':' && spec != *i))
        return false;
    struct str format = str_slice(s, spec, *i), text = str_slice(s, start, end);
    ++*i;
    struct value v = read_inner(x, text);
    if (x->bad)
        return false;
    if (!conversion)
        return expr_format(&v, format, out);
    if ((conversion != 'r' && conversion != 's') || format.n)
        return false;
    return conversion == 'r' ? value_repr(&v, out) : value_str(&v, out);
}

struct literal {
    bool raw, bytes, formatted;
};

static bool decode(struct expr *x, struct buf *out, struct str s, struct literal how)
{
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        if (c == '\\' && !how.raw) {
            if (!put_escape(out, s, &i, how.bytes))
                return false;
        } else if (how.formatted && (c == '{' || c == '}')) {
            bool twice = i + 1 < s.n && s.p[i + 1] == c;
            if (!twice && (c == '}' || !put_field(x, out, s, &i)))
                return false;
            if (twice)
                buf_char(out, c);
            i += twice ? 2 : 0;
        } else {
            if (how.bytes && (unsigned char)c >= 0x80)
                return false;
            buf_char(out, c);
            i++;
        }
    }
    return true;
}

/* Past the prefix; false when there is no such prefix. */
static bool read_prefix(const char **p, const char *end, struct literal *how)
{
    const char *start = *p;
    bool u = false;
    for (; *p < end && *p - start < 3; ++*p) {
        char c = (char)(**p | 32);
        bool *flag = c == 'r' ? &how->raw : c == 'b' ? &how->bytes : c == 'f' ? &how->formatted : &u;
        if (!strchr("rbfu", c) || *flag)
            break;
        *flag = true;
    }
    bool odd = (how->bytes && how->formatted) || (u && *p - start > 1);
    return !odd && *p < end && (**p == '"' || **p == '\'');
}

bool expr_at_string(struct expr *x)
{
    const char *p = x->p;
    while (p < x->end && p - x->p < 3 && *p && strchr("rRbBuUfFtT", *p))
        p++;
    return p < x->end && (*p == '"' || *p == '\'');
}

/* One literal, appended to out; false when it is not known (x->bad: when it is odd). */
static bool read_string(struct expr *x, struct buf *out, bool *bytes)
{
    struct literal how = {0};
    const char *p = x->p, *end;
    if (!read_prefix(&p, x->end, &how) || !(end = token_string_end(p, x->end, how.formatted))) {
        x->bad = true;
        return false;
    }
    size_t width = end - p >= 6 && p[1] == *p && p[2] == *p ? 3 : 1;
    struct str inner = {p + width, (size_t)(end - p) - 2 * width};
    x->p = end;
    *bytes = how.bytes;
    return x->skip || decode(x, out, inner, how);
}

struct value expr_read_strings(struct expr *x)
{
    struct buf b = {0};
    bool known = true, bytes = false, first = true;
    for (; !x->bad && x->p < x->end && expr_at_string(x); expr_blank(x)) {
        bool kind = bytes;
        known = read_string(x, &b, &kind) && known;
        x->bad = x->bad || (!first && kind != bytes) || b.n > EXPR_MAX_TEXT;
        bytes = kind;
        first = false;
    }
    if (x->bad || x->skip || !known) {
        buf_release(&b);
        return expr_unknown();
    }
    return expr_buf(x, &b, bytes ? VALUE_BYTES : VALUE_STR);
}
