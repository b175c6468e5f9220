#include "generator/expr_parse.h"

#include "generator/token.h"

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

/* {expr}, {expr!r}, {expr!s}: false for format specs and "=", whose results are not followed. */
static bool put_field(struct expr *x, struct buf *out, struct str s, size_t *i)
{
    size_t start = ++*i;
    int depth = 0;
    for (; *i < s.n; ++*i) {
        char c = s.p[*i];
        if (strchr("([{", c) && c)
            depth++;
        else if (depth && strchr(")]}", c) && c)
            depth--;
        else if (c == '}' || c == '!' || c == ':' || c == '=' || c == '"' || c == '\'' || c == '\\')
            break;
    }
    if (*i >= s.n)
        return false;
    struct str text = str_slice(s, start, *i);
    bool repr = false;
    if (s.p[*i] == '!' && *i + 2 < s.n && s.p[*i + 2] == '}') {
        repr = s.p[*i + 1] == 'r';
        if (!repr && s.p[*i + 1] != 's')
            return false;
        *i += 2;
    }
    if (s.p[*i] != '}')
        return false;
    ++*i;
    struct value v = expr_sub(x, text, x->locals);
    return repr ? value_repr(&v, out) : value_str(&v, out);
}

static bool decode(struct expr *x, struct buf *out, struct str s, bool raw, bool bytes, bool formatted)
{
    for (size_t i = 0; i < s.n;) {
        char c = s.p[i];
        if (c == '\\' && !raw) {
            if (!put_escape(out, s, &i, bytes))
                return false;
        } else if (formatted && (c == '{' || c == '}')) {
            if (i + 1 < s.n && s.p[i + 1] == c) {
                buf_char(out, c);
                i += 2;
            } else if (c == '}' || !put_field(x, out, s, &i)) {
                return false;
            }
        } else {
            if (bytes && (unsigned char)c >= 0x80)
                return false;
            buf_char(out, c);
            i++;
        }
    }
    return true;
}

bool expr_string(struct expr *x, struct value *out)
{
    const char *p = x->p;
    bool raw = false, bytes = false, formatted = false;
    while (p < x->end && p - x->p < 3 && *p && strchr("rRbBuUfFtT", *p)) {
        raw = raw || (*p | 32) == 'r';
        bytes = bytes || (*p | 32) == 'b';
        formatted = formatted || (*p | 32) == 'f';
        if ((*p | 32) == 't')
            return false;
        p++;
    }
    if (p >= x->end || (*p != '"' && *p != '\''))
        return false;
    const char *end = token_string_end(p, x->end, formatted);
    if (!end)
        return false;
    size_t width = end - p >= 6 && p[1] == *p && p[2] == *p ? 3 : 1;
    struct str inner = {p + width, (size_t)(end - p) - 2 * width};
    struct buf b = {0};
    bool known = decode(x, &b, inner, raw, bytes, formatted);
    *out = (struct value){0};
    if (known)
        *out = (struct value){.kind = bytes ? VALUE_BYTES : VALUE_STR,
                              .text = {arena_dup(x->env->arena, b.p ? b.p : "", b.n), b.n}};
    buf_release(&b);
    x->p = end;
    return true;
}
