#include "runtime/wire/json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 256 };

struct json json_of(struct str text)
{
    return (struct json){.p = text.p, .end = text.p + text.n};
}

static bool fail(struct json *j)
{
    j->bad = true;
    return false;
}

static void space(struct json *j)
{
    while (j->p < j->end && (*j->p == ' ' || *j->p == '\n' || *j->p == '\t' || *j->p == '\r'))
        j->p++;
}

static bool take(struct json *j, char c)
{
    space(j);
    if (j->bad || j->p == j->end || *j->p != c)
        return false;
    j->p++;
    return true;
}

char json_peek(struct json *j)
{
    space(j);
    return j->bad || j->p == j->end ? '\0' : *j->p;
}

bool json_enter(struct json *j, char bracket)
{
    j->first = true;
    return take(j, bracket) || fail(j);
}

/* Before a member or an element: the end, or the comma. */
static bool more(struct json *j, char close)
{
    if (j->bad)
        return false;
    if (take(j, close)) {
        j->first = false;
        return false;
    }
    if (!j->first && !take(j, ','))
        return fail(j);
    j->first = false;
    return json_peek(j) != '\0' || fail(j);
}

bool json_key(struct json *j, struct buf *key)
{
    buf_clear(key);
    return more(j, '}') && json_string(j, key) && (take(j, ':') || fail(j));
}

bool json_item(struct json *j)
{
    return more(j, ']');
}

static int hex4(struct json *j)
{
    int v = 0;
    if (j->end - j->p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = *j->p++;
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static void add_utf8(struct buf *out, unsigned c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        buf_char(out, (char)(0xc0 | c >> 6));
        buf_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        buf_char(out, (char)(0xe0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        buf_char(out, (char)(0xf0 | c >> 18));
        buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

static bool unicode_escape(struct json *j, struct buf *out)
{
    int c = hex4(j);
    if (c < 0)
        return fail(j);
    if (c >= 0xd800 && c < 0xdc00 && j->end - j->p >= 6 && j->p[0] == '\\' && j->p[1] == 'u') {
        const char *back = j->p;
        j->p += 2;
        int low = hex4(j);
        if (low >= 0xdc00 && low < 0xe000) {
            add_utf8(out, 0x10000u + (((unsigned)c - 0xd800u) << 10) + ((unsigned)low - 0xdc00u));
            return true;
        }
        j->p = back;
    }
    if (c >= 0xdc80 && c <= 0xdcff)
        buf_char(out, (char)(c & 0xff));
    else
        add_utf8(out, (unsigned)c);
    return true;
}

static bool escape(struct json *j, struct buf *out)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    if (j->p == j->end)
        return fail(j);
    char c = *j->p++;
    if (c == 'u')
        return unicode_escape(j, out);
    const char *at = c ? strchr(names, c) : NULL;
    if (!at)
        return fail(j);
    buf_char(out, bytes[at - names]);
    return true;
}

bool json_string(struct json *j, struct buf *out)
{
    if (!take(j, '"'))
        return fail(j);
    while (j->p < j->end) {
        const char *start = j->p;
        while (j->p < j->end && *j->p != '"' && *j->p != '\\' && (unsigned char)*j->p >= 0x20)
            j->p++;
        buf_add(out, start, (size_t)(j->p - start));
        if (j->p == j->end || (unsigned char)*j->p < 0x20)
            break;
        if (*j->p++ == '"')
            return true;
        if (!escape(j, out))
            return false;
    }
    return fail(j);
}

bool json_u32(struct json *j, uint32_t *out)
{
    uint64_t v = 0;
    if (json_peek(j) < '0' || *j->p > '9')
        return fail(j);
    while (j->p < j->end && *j->p >= '0' && *j->p <= '9' && v <= UINT32_MAX)
        v = v * 10 + (uint64_t)(*j->p++ - '0');
    *out = (uint32_t)v;
    return v <= UINT32_MAX || fail(j);
}

bool json_number(struct json *j, double *out)
{
    char text[40];
    size_t n = 0;
    json_peek(j);
    while (j->p + n < j->end && n < sizeof text - 1 && strchr("0123456789+-.eE", j->p[n]) && j->p[n]) {
        text[n] = j->p[n];
        n++;
    }
    text[n] = '\0';
    char *end = text;
    *out = strtod(text, &end);
    if (!n || *end)
        return fail(j);
    j->p += n;
    return true;
}

static bool skip_string(struct json *j)
{
    for (j->p++; j->p < j->end; j->p++) {
        if (*j->p == '"') {
            j->p++;
            return true;
        }
        if (*j->p == '\\' && ++j->p == j->end)
            break;
    }
    return fail(j);
}

static bool skip_word(struct json *j)
{
    const char *start = j->p;
    while (j->p < j->end && strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzEINaty", *j->p) && *j->p)
        j->p++;
    return j->p > start || fail(j);
}

/* One value: brackets are matched, what is between them is not checked further. */
bool json_skip(struct json *j)
{
    char open[MAX_DEPTH];
    size_t depth = 0;
    do {
        char c = json_peek(j);
        if (c == '{' || c == '[') {
            if (depth == MAX_DEPTH)
                return fail(j);
            open[depth++] = c == '{' ? '}' : ']';
            j->p++;
        } else if (c == '}' || c == ']') {
            if (depth == 0 || open[--depth] != c)
                return fail(j);
            j->p++;
        } else if (c == '"') {
            if (!skip_string(j))
                return false;
        } else if (depth && (c == ',' || c == ':')) {
            j->p++;
        } else if (!skip_word(j)) {
            return false;
        }
    } while (depth);
    return true;
}

bool json_done(struct json *j)
{
    return json_peek(j) == '\0' && !j->bad;
}
