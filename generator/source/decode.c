#include "generator/source/decode.h"

#include <iconv.h>
#include <string.h>

static uint32_t line_of(const struct buf *text, size_t at)
{
    uint32_t line = 1;
    for (size_t i = 0; i < at && i < text->n; i++)
        line += text->p[i] == '\n';
    return line;
}

/* \r\n and a lone \r end a line too. */
static void join_line_ends(struct buf *text)
{
    char *to = memchr(text->p, '\r', text->n), *end = text->p + text->n;
    if (!to)
        return;
    for (char *from = to; from < end; from++) {
        if (*from != '\r')
            *to++ = *from;
        else if (from + 1 == end || from[1] != '\n')
            *to++ = '\n';
    }
    text->n = (size_t)(to - text->p);
    *to = '\0';
}

/* The name in "coding: name" or "coding=name" of a comment in the first two lines; "" when there is none. */
static struct str cookie(struct str text)
{
    struct str rest = text, line;
    for (int i = 0; i < 2 && str_next(&rest, '\n', &line); i++) {
        struct str t = str_trim(line);
        if (t.n && t.p[0] != '#')
            return STR("");
        for (size_t k = 0; k + 7 < t.n; k++) {
            if (memcmp(t.p + k, "coding", 6) != 0 || (t.p[k + 6] != ':' && t.p[k + 6] != '='))
                continue;
            struct str name = str_trim(str_slice(t, k + 7, t.n));
            size_t n = 0;
            while (n < name.n && (strchr("-_.", name.p[n]) || (name.p[n] >= '0' && name.p[n] <= '9') ||
                                  ((name.p[n] | 32) >= 'a' && (name.p[n] | 32) <= 'z')))
                n++;
            return str_slice(name, 0, n);
        }
    }
    return STR("");
}

static bool is_utf8_name(struct str name)
{
    char low[8] = {0};
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < 7; i++)
        if (name.p[i] != '-' && name.p[i] != '_')
            low[n++] = (char)(name.p[i] | 32);
    return name.n == 0 || strncmp(low, "utf8", 4) == 0 || strcmp(low, "ascii") == 0 || strncmp(low, "usascii", 7) == 0;
}

static bool is_ascii_name(struct str name)
{
    char second = name.n > 1 ? (char)(name.p[1] | 32) : 't'; /* ascii, us-ascii; not utf8 */
    return is_utf8_name(name) && second != 't';
}

/* The first byte that is not UTF-8, or n. */
static size_t find_invalid(const unsigned char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t word[4];
        if (i + sizeof word <= n &&
            (memcpy(word, p + i, sizeof word), !((word[0] | word[1] | word[2] | word[3]) & UINT64_C(0x8080808080808080)))) {
            i += sizeof word;
            continue;
        }
        unsigned char c = p[i];
        size_t more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 9;
        if (more == 9 || i + more >= n + (more == 0))
            return i;
        for (size_t k = 1; k <= more; k++)
            if ((p[i + k] & 0xc0) != 0x80)
                return i;
        if ((c == 0xe0 && p[i + 1] < 0xa0) || (c == 0xed && p[i + 1] > 0x9f) || (c == 0xf0 && p[i + 1] < 0x90) ||
            (c == 0xf4 && p[i + 1] > 0x8f))
            return i;
        i += more + 1;
    }
    return n;
}

/* Python's name → iconv's. Of these what follows a "-" does not count (CPython, get_normal_name). */
static const char *iconv_name(const char *name)
{
    static const char *const latin[] = {"latin-1", "iso-8859-1", "iso-latin-1"};
    for (size_t i = 0; i < sizeof latin / sizeof *latin; i++) {
        size_t n = strlen(latin[i]);
        if (strncmp(name, latin[i], n) == 0 && (!name[n] || name[n] == '-'))
            return "ISO-8859-1";
    }
    return strcmp(name, "mac-roman") == 0 ? "MACINTOSH" : strcmp(name, "latin9") == 0 ? "ISO-8859-15" : name;
}

static bool convert(struct buf *text, struct str name, const char **error)
{
    char from[64];
    struct buf out = {0};
    if (name.n >= sizeof from) {
        *error = "unknown encoding";
        return false;
    }
    memcpy(from, name.p, name.n);
    from[name.n] = '\0';
    for (char *p = from; *p; p++)
        *p = *p == '_' ? '-' : *p >= 'A' && *p <= 'Z' ? (char)(*p | 32) : *p;
    iconv_t cd = iconv_open("UTF-8", iconv_name(from));
    if (cd == (iconv_t)-1) {
        *error = "unknown encoding";
        return false;
    }
    buf_reserve(&out, text->n * 4 + 16);
    char *in = text->p, *to = out.p;
    size_t in_left = text->n, out_left = text->n * 4 + 15;
    bool ok = iconv(cd, &in, &in_left, &to, &out_left) != (size_t)-1;
    iconv_close(cd);
    out.n = (size_t)(to - out.p);
    out.p[out.n] = '\0';
    if (!ok) {
        *error = "a byte that is not of the file's encoding";
        buf_release(&out);
        return false;
    }
    buf_release(text);
    *text = out;
    return true;
}

bool decode_source(struct buf *text, const char **error, uint32_t *line)
{
    *line = 1;
    if (!text->n)
        return true;
    bool bom = text->n >= 3 && memcmp(text->p, "\xef\xbb\xbf", 3) == 0;
    if (bom) {
        memmove(text->p, text->p + 3, text->n - 3);
        text->n -= 3;
        text->p[text->n] = '\0';
    }
    const char *nul = memchr(text->p, '\0', text->n);
    if (nul) {
        *error = "source code cannot contain null bytes";
        *line = line_of(text, (size_t)(nul - text->p));
        return false;
    }
    struct str name = cookie(buf_view(text));
    if (bom && (!is_utf8_name(name) || is_ascii_name(name))) {
        *error = "a BOM, but the encoding that is declared is not UTF-8";
        return false;
    }
    bool ascii = is_ascii_name(name); /* text may move */
    if (!is_utf8_name(name) && !convert(text, name, error))
        return false;
    size_t bad = find_invalid((const unsigned char *)text->p, text->n);
    for (size_t i = 0; ascii && i < bad; i++)
        if ((unsigned char)text->p[i] >= 0x80)
            bad = i;
    if (bad < text->n) {
        *error = ascii ? "a byte that is not ASCII, which is the encoding that is declared"
                       : "a byte that is not UTF-8, and no encoding is declared";
        *line = line_of(text, bad);
        return false;
    }
    join_line_ends(text);
    return true;
}
