#include "generator/source/token.h"

#include <string.h>

/* Lexical rules: Python 3.8 to 3.14, reference "Lexical analysis". */

struct lexer {
    const char *p, *end;
    struct buf *out;
    size_t line_start; /* in out: where the current line begins */
    size_t trim_floor; /* in out: blanks before this belong to a string */
    bool keep_lines, continued;
};

enum char_class { PLAIN, NEWLINE, HASH, QUOTE, BACKSLASH, ODD };
static const unsigned char classes[256] = {
    ['\n'] = NEWLINE, ['#'] = HASH,  ['"'] = QUOTE, ['\''] = QUOTE, ['\\'] = BACKSLASH,
    ['\0'] = ODD,     ['\r'] = ODD,  ['\f'] = ODD,  ['\v'] = ODD,   ['`'] = ODD,
    ['$'] = ODD,      ['?'] = ODD,   [0x7f] = ODD,
};

static void trim_blanks(struct lexer *x)
{
    while (x->out->n > x->trim_floor && strchr(" \t", x->out->p[x->out->n - 1]))
        x->out->n--;
}

/* At the end of a physical line outside strings. A blank line after a backslash is odd. */
static bool end_line(struct lexer *x)
{
    trim_blanks(x);
    bool blank = x->out->n == x->line_start;
    if (blank && x->continued)
        return false;
    x->continued = false;
    if (x->keep_lines || !blank)
        buf_char(x->out, '\n');
    x->line_start = x->trim_floor = x->out->n;
    return true;
}

/* Letters directly before a quote: is it an f-string (or t-string)? */
static bool is_formatted(const struct lexer *x, const char *start)
{
    const char *q = x->p;
    int n = 0;
    bool formatted = false;
    while (q > start && strchr("rRbBuUfFtT", q[-1]) && n < 3) {
        q--;
        n++;
        formatted = formatted || strchr("fFtT", *q);
    }
    return formatted;
}

/* A quoted part inside a replacement field: only what old and new lexers read the same. The quote of the string
 * itself is that where three of them end it: there are no three in a row up to its end. */
static bool skip_nested(const char **pp, const char *end, char outer, bool triple)
{
    const char *p = *pp;
    char quote = *p++;
    if (quote == outer && !triple)
        return false;
    for (; p < end && *p != quote; p++)
        if (*p == outer || strchr("{}#\\\n", *p))
            return false;
    if (p >= end || (p + 1 < end && p[1] == quote))
        return false;
    *pp = p;
    return true;
}

/* Braces of an f-string's body must balance, and hold nothing that 3.12 reads otherwise. */
static bool fields_are_plain(const char *p, const char *end, char outer, bool triple)
{
    int depth = 0;
    for (; p < end; p++) {
        bool twice = p + 1 < end && p[1] == *p;
        if (depth == 0 && twice && (*p == '{' || *p == '}'))
            p++;
        else if (*p == '{')
            depth++;
        else if (*p == '}' && --depth < 0)
            return false;
        else if (depth > 0 && (*p == '#' || *p == '\\'))
            return false;
        else if (depth > 0 && (*p == '"' || *p == '\'') && !skip_nested(&p, end, outer, triple))
            return false;
    }
    return depth == 0;
}

/* The next byte that matters inside a string: a quote, a backslash, NUL, or the end of a line: \r alone where
 * the string is long (Python's tabs and form feeds do no harm). 16 at a time where there are as many. */
static const char *find_stop(const char *p, const char *end, unsigned char quote, unsigned char newline)
{
    typedef unsigned char vector __attribute__((vector_size(16)));
    for (; end - p >= 16; p += 16) {
        vector v, stops;
        uint64_t found[2];
        memcpy(&v, p, sizeof v);
        stops = (vector)(v == quote) | (vector)(v == '\\') | (vector)(v == '\r') | (vector)(v == newline) | (vector)(v == 0);
        memcpy(found, &stops, sizeof found);
        if (found[0] | found[1])
            break;
    }
    while (p < end && (unsigned char)*p != quote && (unsigned char)*p != newline && *p && *p != '\r' && *p != '\\')
        p++;
    return p;
}

const char *token_string_end(const char *p, const char *end, bool formatted)
{
    char quote = *p;
    bool triple = end - p >= 3 && p[1] == quote && p[2] == quote;
    p += triple ? 3 : 1;
    const char *body = p;
    for (;; p++) {
        p = find_stop(p, end, (unsigned char)quote, triple ? '\r' : '\n');
        if (p < end && *p == '\\')
            p++;
        else if (p < end && *p == '\n' && !triple)
            return NULL;
        else if (p < end && *p == quote && (!triple || (end - p >= 3 && p[1] == quote && p[2] == quote)))
            break;
        if (p >= end || *p == '\r' || *p == '\0')
            return NULL;
    }
    if (formatted && !fields_are_plain(body, p, quote, triple))
        return NULL;
    return p + (triple ? 3 : 1);
}

static bool lex_string(struct lexer *x, bool formatted)
{
    const char *end = token_string_end(x->p, x->end, formatted);
    if (!end)
        return false;
    buf_add(x->out, x->p, (size_t)(end - x->p));
    x->p = end;
    x->trim_floor = x->out->n; /* blanks inside the string must stay */
    return true;
}

static bool lex(struct lexer *x, const char *start)
{
    while (x->p < x->end) {
        const char *run = x->p;
        while (x->p < x->end && classes[(unsigned char)*x->p] == PLAIN)
            x->p++;
        buf_add(x->out, run, (size_t)(x->p - run));
        if (x->p == x->end)
            break;
        switch ((enum char_class)classes[(unsigned char)*x->p]) {
        case NEWLINE:
            x->p++;
            if (!end_line(x))
                return false;
            break;
        case HASH:
            while (x->p < x->end && *x->p != '\n') {
                if (*x->p == '\0' || *x->p == '\r' || *x->p == '\f')
                    return false;
                x->p++;
            }
            break;
        case QUOTE:
            if (!lex_string(x, is_formatted(x, start)))
                return false;
            break;
        case BACKSLASH:
            if (x->end - x->p < 3 || x->p[1] != '\n')
                return false;
            buf_add(x->out, "\\\n", 2);
            x->p += 2;
            x->line_start = x->trim_floor = x->out->n;
            x->continued = true;
            break;
        case PLAIN:
        case ODD:
            return false;
        }
    }
    trim_blanks(x);
    return true;
}

/* An encoding cookie (PEP 263) in the first two lines: fine when ASCII bytes mean ASCII. */
static bool cookie_is_plain(struct str text, struct str *lines)
{
    struct str rest = text, line;
    *lines = str_slice(text, 0, 0);
    for (int i = 0; i < 2 && str_next(&rest, '\n', &line); i++) {
        struct str t = str_trim(line);
        if (t.n && t.p[0] != '#' && !str_contains(t, STR("#")))
            continue;
        if (!str_contains(t, STR("coding")))
            continue;
        if (!str_contains(t, STR("utf-8")) && !str_contains(t, STR("utf8")) &&
            !str_contains(t, STR("UTF-8")) && !str_contains(t, STR("latin-1")) &&
            !str_contains(t, STR("ascii")))
            return false;
        *lines = str_slice(text, 0, (size_t)(line.p + line.n - text.p));
    }
    return true;
}

bool token_strip(struct buf *out, struct str text, bool keep_lines)
{
    struct str cookie;
    size_t before = out->n;
    if (!cookie_is_plain(text, &cookie))
        return false;
    buf_reserve(out, text.n + 1);
    buf_str(out, cookie);
    struct lexer x = {.p = text.p, .end = text.p + text.n, .out = out, .keep_lines = keep_lines};
    x.line_start = x.trim_floor = out->n;
    if (text.n && lex(&x, text.p)) {
        out->p[out->n] = '\0';
        return true;
    }
    out->n = before;
    if (out->p)
        out->p[out->n] = '\0';
    return text.n == 0;
}

struct hash128 token_hash(struct str text, bool keep_lines)
{
    struct buf b = {0};
    struct hash128 h;
    if (token_strip(&b, text, keep_lines)) {
        buf_char(&b, keep_lines ? 'T' : 't');
        h = hash128_of(b.p, b.n);
    } else {
        h = hash128_of(text.p, text.n);
        h.hi ^= 1; /* never equal to the hash of stripped text by construction of its last byte */
    }
    buf_release(&b);
    return h;
}
