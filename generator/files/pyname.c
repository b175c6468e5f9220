#include "generator/files/pyname.h"

#include "runtime/base/hash.h"
#include "runtime/base/io.h"

enum { STEM_MAX = 200, HASH_TAIL = 17 };

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

void pyname_stem(struct buf *out, struct str rel)
{
    size_t start = out->n;
    struct str s = str_ends(rel, STR(".py")) ? str_slice(rel, 0, rel.n - 3) : rel;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '/')
            buf_char(out, '.');
        else if (is_word(c) || c == '-')
            buf_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
    if (out->n - start <= STEM_MAX)
        return;
    uint64_t h = hash64_of(rel.p, rel.n);
    out->n = start + STEM_MAX - HASH_TAIL;
    buf_printf(out, "-%016llx", (unsigned long long)h);
}

bool pyname_is_identifier(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!(is_word(c) || c >= 0x80) || (i == 0 && c >= '0' && c <= '9'))
            return false;
    }
    return s.n > 0;
}

bool pyname_is_dotted(struct str s, size_t min_dots)
{
    struct str rest = s, part;
    size_t n = 0;
    if (s.n == 0 || s.p[s.n - 1] == '.')
        return false;
    for (; str_next(&rest, '.', &part); n++)
        if (!pyname_is_identifier(part))
            return false;
    return n >= min_dots + 1;
}

struct str pyname_below(struct str path, struct str root)
{
    if (root.n == 0)
        return path;
    if (root.n == 1 && path.n > 1)
        return str_slice(path, 1, path.n);
    return path_under(path, root) && path.n > root.n ? str_slice(path, root.n + 1, path.n) : path;
}
