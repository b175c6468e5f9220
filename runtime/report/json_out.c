#include "runtime/report/json_out.h"

#include "runtime/base/maths.h"
#include "runtime/report/text.h"

#include <inttypes.h>

static void before(struct json_out *j)
{
    if (j->comma)
        buf_char(j->out, ',');
    j->comma = true;
}

void json_open(struct json_out *j, char bracket)
{
    before(j);
    buf_char(j->out, bracket);
    j->comma = false;
}

void json_close(struct json_out *j, char bracket)
{
    buf_char(j->out, bracket);
    j->comma = true;
}

static void put_escaped(struct buf *out, uint32_t c, struct str raw)
{
    static const char short_forms[] = "\bb\ff\nn\rr\tt";
    for (const char *f = short_forms; *f; f += 2)
        if (c == (unsigned char)*f) {
            buf_char(out, '\\');
            buf_char(out, f[1]);
            return;
        }
    if (c < 0x20 || c == 0x7F)
        buf_printf(out, "\\u%04x", c);
    else if (c >= 0xD800 && c <= 0xDFFF)
        buf_printf(out, "\\\\u%04x", c);
    else
        buf_str(out, raw);
}

/* Length of the run that needs no care. */
static size_t plain(struct str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= 0x20 && s.p[n] < 0x7F && s.p[n] != '"' && s.p[n] != '\\')
        n++;
    return n;
}

static void put_string(struct buf *out, struct str s)
{
    buf_char(out, '"');
    for (;;) {
        size_t n = plain(s);
        buf_add(out, s.p, n);
        s = str_slice(s, n, s.n);
        if (s.n == 0)
            break;
        struct str raw = s;
        if (*s.p == '"' || *s.p == '\\') {
            buf_char(out, '\\');
            buf_char(out, *s.p);
            s = str_slice(s, 1, s.n);
        } else {
            uint32_t c = text_next(&s);
            raw.n -= s.n;
            put_escaped(out, c, raw);
        }
    }
    buf_char(out, '"');
}

void json_key_text(struct json_out *j, struct str name)
{
    before(j);
    put_string(j->out, name);
    buf_char(j->out, ':');
    j->comma = false;
}

void json_name(struct json_out *j, const char *name)
{
    before(j);
    buf_char(j->out, '"');
    buf_z(j->out, name);
    buf_add(j->out, "\":", 2);
    j->comma = false;
}

void json_text(struct json_out *j, struct str s)
{
    before(j);
    put_string(j->out, s);
}

static void put_digits(struct buf *out, uint64_t n, int least)
{
    char text[24];
    int i = sizeof text;
    do {
        text[--i] = (char)('0' + n % 10);
        n /= 10;
        least--;
    } while (n || least > 0);
    buf_add(out, text + i, sizeof text - (size_t)i);
}

void json_int(struct json_out *j, int64_t n)
{
    before(j);
    if (n < 0)
        buf_char(j->out, '-');
    put_digits(j->out, n < 0 ? 0 - (uint64_t)n : (uint64_t)n, 1);
}

void json_seconds(struct json_out *j, double seconds)
{
    before(j);
    if (!(seconds > -1e12 && seconds < 1e12))
        seconds = 0; /* no time */
    int64_t us = maths_nearest(seconds * 1e6);
    if (us < 0)
        buf_char(j->out, '-');
    uint64_t n = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    put_digits(j->out, n / 1000000, 1);
    buf_char(j->out, '.');
    int digits = 6;
    for (n %= 1000000; digits > 1 && n % 10 == 0; digits--)
        n /= 10;
    put_digits(j->out, n, digits);
}

void json_bool(struct json_out *j, bool b)
{
    before(j);
    buf_z(j->out, b ? "true" : "false");
}

void json_null(struct json_out *j)
{
    before(j);
    buf_z(j->out, "null");
}

void json_raw(struct json_out *j, struct str json)
{
    before(j);
    buf_str(j->out, json);
}
