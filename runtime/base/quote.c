#include "runtime/base/quote.h"

/* Length of the valid UTF-8 sequence at p, 0 when there is none (also overlong, surrogates). */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
    if (len < 2 || len > n)
        return len == 1 ? 1 : 0;
    unsigned c = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : len;
}

void json_quote(struct buf *out, struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    buf_char(out, '"');
    for (size_t i = 0; i < s.n;) {
        size_t len = utf8_length(p + i, s.n - i);
        if (len == 0) {
            buf_printf(out, "\\udc%02x", p[i++]);
            continue;
        }
        if (p[i] == '"' || p[i] == '\\')
            buf_char(out, '\\');
        if (p[i] < 0x20)
            buf_printf(out, "\\u%04x", p[i]);
        else
            buf_add(out, p + i, len);
        i += len;
    }
    buf_char(out, '"');
}
