#include "generator/config/toml.h"

#include <string.h>

/* Lexically strict: what it passes is a TOML document but for bad escapes, numbers and duplicates. */
enum { MAX_DEPTH = 64 };

struct scan {
    const char *p, *end;
};

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool at(const struct scan *x, char c)
{
    return x->p < x->end && *x->p == c;
}

static void blanks(struct scan *x)
{
    while (at(x, ' ') || at(x, '\t'))
        x->p++;
}

/* A comment, then the end of the line (or of the text). */
static bool end_of_line(struct scan *x)
{
    blanks(x);
    if (at(x, '#'))
        while (x->p < x->end && *x->p != '\n')
            if ((unsigned char)*x->p++ < ' ' && x->p[-1] != '\t' && x->p[-1] != '\r')
                return false;
    if (at(x, '\r'))
        x->p++;
    if (x->p == x->end)
        return true;
    return *x->p++ == '\n';
}

/* """…""" or '''…''': p stands behind the opening quotes. */
static bool long_string(struct scan *x, char quote)
{
    while (x->end - x->p >= 3) {
        if (*x->p == '\\' && quote == '"') {
            x->p += 2;
            continue;
        }
        if (x->p[0] == quote && x->p[1] == quote && x->p[2] == quote) {
            x->p += 3;
            for (int i = 0; i < 2 && at(x, quote); i++) /* """a""""" ends with two quotes */
                x->p++;
            return true;
        }
        x->p++;
    }
    return false;
}

static bool string(struct scan *x, bool may_be_long)
{
    char quote = *x->p;
    if (x->end - x->p >= 3 && x->p[1] == quote && x->p[2] == quote) {
        x->p += 3;
        return may_be_long && long_string(x, quote);
    }
    for (x->p++; x->p < x->end && *x->p != quote; x->p++) {
        if (*x->p == '\n')
            return false;
        if (*x->p == '\\' && quote == '"' && (++x->p == x->end || *x->p == '\n'))
            return false;
    }
    return x->p < x->end && *x->p++ == quote;
}

static bool key(struct scan *x)
{
    for (;;) {
        blanks(x);
        const char *start = x->p;
        if (at(x, '"') || at(x, '\'')) {
            if (!string(x, false))
                return false;
        } else {
            while (x->p < x->end && is_bare(*x->p))
                x->p++;
            if (x->p == start)
                return false;
        }
        blanks(x);
        if (!at(x, '.'))
            return true;
        x->p++;
    }
}

static bool word(struct scan *x)
{
    const char *start = x->p;
    while (x->p < x->end && (is_bare(*x->p) || strchr("+.:", *x->p)))
        x->p++;
    struct str w = {start, (size_t)(x->p - start)};
    if (!w.n)
        return false;
    if (str_eq(w, STR("true")) || str_eq(w, STR("false")) || str_eq(w, STR("inf")) ||
        str_eq(w, STR("nan")))
        return true;
    return (*start >= '0' && *start <= '9') || *start == '+' || *start == '-';
}

static bool value(struct scan *x, int depth);

static bool space_in_array(struct scan *x)
{
    for (;;) {
        blanks(x);
        if (!at(x, '#') && !at(x, '\n') && !at(x, '\r'))
            return x->p < x->end;
        if (!end_of_line(x))
            return false;
    }
}

static bool array(struct scan *x, int depth)
{
    x->p++;
    while (space_in_array(x) && !at(x, ']')) {
        if (!value(x, depth + 1) || !space_in_array(x))
            return false;
        if (at(x, ','))
            x->p++;
        else if (!at(x, ']'))
            return false;
    }
    return x->p < x->end && *x->p++ == ']';
}

static bool inline_table(struct scan *x, int depth)
{
    x->p++;
    blanks(x);
    while (!at(x, '}')) {
        if (!key(x) || !at(x, '='))
            return false;
        x->p++;
        blanks(x);
        if (!value(x, depth + 1))
            return false;
        blanks(x);
        if (at(x, '}'))
            break;
        if (!at(x, ','))
            return false;
        x->p++;
        blanks(x);
        if (at(x, '}'))
            return false;
    }
    x->p++;
    return true;
}

static bool value(struct scan *x, int depth)
{
    if (depth > MAX_DEPTH || x->p == x->end)
        return false;
    if (*x->p == '"' || *x->p == '\'')
        return string(x, true);
    if (*x->p == '[')
        return array(x, depth);
    return *x->p == '{' ? inline_table(x, depth) : word(x);
}

bool toml_scan_key(const char **p, const char *end, struct str *out)
{
    struct scan x = {*p, end};
    blanks(&x);
    const char *start = x.p;
    bool quoted = at(&x, '"') || at(&x, '\'');
    if (quoted ? !string(&x, false) : false)
        return false;
    while (!quoted && x.p < end && is_bare(*x.p))
        x.p++;
    *out = (struct str){start + quoted, (size_t)(x.p - start) - 2 * quoted};
    bool plain = (quoted || out->n) && !(quoted && *start == '"' && str_chr(*out, '\\') < out->n);
    blanks(&x);
    *p = x.p;
    return plain;
}

/* 1: a table that we want, 0: another, -1: cannot be told. */
static int wanted(const char *p, const char *end)
{
    struct str first, second;
    if (!toml_scan_key(&p, end, &first))
        return -1;
    if (!str_eq(first, STR("tool")))
        return 0;
    if (p == end || *p != '.') /* [tool] may hold pytest.ini_options = … */
        return -1;
    p++;
    if (!toml_scan_key(&p, end, &second))
        return -1;
    return str_eq(second, STR("pytest")) || str_eq(second, STR("fastest"));
}

static bool header(struct scan *x, int *keep)
{
    bool twice = x->end - x->p > 1 && x->p[1] == '[';
    x->p += 1 + twice;
    const char *start = x->p;
    if (!key(x) || !at(x, ']'))
        return false;
    *keep = wanted(start, x->p);
    x->p++;
    if (twice && (!at(x, ']') || (x->p++, false)))
        return false;
    return *keep >= 0 && end_of_line(x);
}

/* A pair of the root table must not be tool.…: then the tables are not all there is. */
static bool pair(struct scan *x, bool in_root)
{
    const char *start = x->p;
    struct str first;
    if (!key(x) || !at(x, '='))
        return false;
    const char *p = start;
    if (in_root && (!toml_scan_key(&p, x->p, &first) || str_eq(first, STR("tool"))))
        return false;
    x->p++;
    blanks(x);
    return value(x, 0) && end_of_line(x);
}

static void copy(struct buf *out, const char *from, const char *to, bool keep)
{
    if (keep)
        buf_add(out, from, (size_t)(to - from));
    for (const char *p = from; !keep && (p = memchr(p, '\n', (size_t)(to - p))); p++)
        buf_char(out, '\n');
}

bool toml_scan(struct str text, struct buf *out)
{
    struct scan x = {text.p ? text.p : "", (text.p ? text.p : "") + text.n};
    bool in_root = true;
    int keep = 0;
    if (text.n && memchr(text.p, '\0', text.n))
        return false;
    while (x.p < x.end) {
        const char *start = x.p;
        blanks(&x);
        bool ok = true;
        if (at(&x, '[')) {
            ok = header(&x, &keep);
            in_root = false;
        } else if (at(&x, '#') || at(&x, '\n') || at(&x, '\r') || x.p == x.end) {
            ok = end_of_line(&x);
        } else {
            ok = pair(&x, in_root);
        }
        if (!ok)
            return false;
        copy(out, start, x.p, keep > 0);
    }
    return true;
}
