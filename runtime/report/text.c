#include "runtime/report/text.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

/* Length of the sequence at p, 0 when it is none; *c is its code point. */
static size_t sequence(const unsigned char *p, size_t n, uint32_t *c)
{
    if (p[0] == 0xC0 && n >= 2 && p[1] == 0x80) {
        *c = 0;
        return 2;
    }
    if (p[0] >= 0xC2 && p[0] <= 0xDF && n >= 2 && is_tail(p[1])) {
        *c = (p[0] & 0x1FU) << 6 | (p[1] & 0x3FU);
        return 2;
    }
    if ((p[0] & 0xF0) == 0xE0 && n >= 3 && is_tail(p[1]) && is_tail(p[2])) {
        *c = (p[0] & 0x0FU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
        return *c >= 0x800 ? 3 : 0;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4 && n >= 4 && is_tail(p[1]) && is_tail(p[2]) && is_tail(p[3])) {
        *c = (p[0] & 0x07U) << 18 | (p[1] & 0x3FU) << 12 | (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU);
        return *c >= 0x10000 && *c <= 0x10FFFF ? 4 : 0;
    }
    return 0;
}

uint32_t text_next(struct str *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    uint32_t c = p[0];
    size_t n = 1;
    if (c >= 0x80) {
        n = sequence(p, s->n, &c);
        if (n == 0) {
            c = 0xDC00U + p[0];
            n = 1;
        }
    }
    s->p += n;
    s->n -= n;
    return c;
}

static size_t text_plain(struct str s)
{
    size_t n = 0;
    while (n < s.n && ((s.p[n] >= 0x20 && s.p[n] < 0x7F) || s.p[n] == '\n'))
        n++;
    return n;
}

size_t text_length(struct str s)
{
    size_t n = 0;
    for (; s.n; n++)
        text_next(&s);
    return n;
}

struct str text_head(struct str s, size_t n)
{
    struct str rest = s;
    while (n-- && rest.n)
        text_next(&rest);
    return str_slice(s, 0, s.n - rest.n);
}

struct range {
    uint32_t from, to;
};

static bool in_ranges(uint32_t c, const struct range *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].from && c <= r[i].to)
            return true;
    return false;
}

/* The blocks that matter for aligning a line; pytest asks unicodedata. */
static const struct range zero_width[] = {
    {0, 0},           {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},   {0x610, 0x61A},
    {0x64B, 0x65F},   {0x900, 0x902},   {0x93C, 0x93C},   {0x941, 0x948},   {0xE31, 0xE31},
    {0xE34, 0xE3A},   {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x2063}, {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F},
};
static const struct range double_width[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
    {0x2614, 0x2615},   {0x26AA, 0x26AB},   {0x2705, 0x2705},   {0x274C, 0x274C},
    {0x2753, 0x2755},   {0x2795, 0x2797},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
    {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F7E0, 0x1F7EB}, {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

int text_width(struct str s)
{
    int width = 0;
    while (s.n) {
        uint32_t c = text_next(&s);
        if ((c > 0 && c < 0x20) || (c >= 0x7F && c < 0xA0))
            return -1;
        if (c >= 0x20 && c < 0x300)
            width++;
        else if (in_ranges(c, double_width, sizeof double_width / sizeof *double_width))
            width += 2;
        else if (!in_ranges(c, zero_width, sizeof zero_width / sizeof *zero_width))
            width++;
    }
    return width;
}

static bool is_line_end(uint32_t c)
{
    return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
           c == 0x2029;
}

bool text_next_line(struct str *rest, struct str *line)
{
    if (rest->n == 0)
        return false;
    *line = *rest;
    while (rest->n) {
        struct str before = *rest;
        uint32_t c = text_next(rest);
        if (!is_line_end(c))
            continue;
        line->n = (size_t)(before.p - line->p);
        if (c == '\r' && rest->n && rest->p[0] == '\n')
            text_next(rest);
        break;
    }
    return true;
}

void text_put(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        buf_char(out, (char)(0xC0 | c >> 6));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    } else if (c >= 0xD800 && c <= 0xDFFF) {
        buf_printf(out, "\\u%04x", c);
    } else if (c < 0x10000) {
        buf_char(out, (char)(0xE0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(out, (char)(0xF0 | c >> 18));
        buf_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    }
}

bool text_copy_plain(struct buf *out, struct str *s, uint32_t *c, struct str *raw)
{
    size_t plain = text_plain(*s);
    buf_add(out, s->p, plain);
    *s = *raw = str_slice(*s, plain, s->n);
    if (s->n == 0)
        return false;
    *c = text_next(s);
    raw->n -= s->n;
    return true;
}

void text_raw(struct buf *out, struct str s)
{
    struct str raw;
    for (uint32_t c; text_copy_plain(out, &s, &c, &raw);) {
        if (c == 0 || (raw.n == 3 && c >= 0xD800 && c <= 0xDFFF))
            text_put(out, c);
        else
            buf_str(out, raw);
    }
}

void text_write(FILE *out, struct str s)
{
    struct buf b = {0};
    text_raw(&b, s);
    if (b.n)
        fwrite(b.p, 1, b.n, out);
    buf_release(&b);
}

void text_pyrepr(struct buf *out, struct str s)
{
    char quote = str_chr(s, '\'') < s.n && str_chr(s, '"') == s.n ? '"' : '\'';
    buf_char(out, quote);
    while (s.n) {
        uint32_t c = text_next(&s);
        if (c == '\\' || c == (unsigned char)quote)
            buf_printf(out, "\\%c", (int)c);
        else if (c == '\n' || c == '\r' || c == '\t')
            buf_printf(out, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD)
            buf_printf(out, "\\x%02x", c);
        else
            text_put(out, c);
    }
    buf_char(out, quote);
}
