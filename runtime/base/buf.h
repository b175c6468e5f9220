/* A growing byte buffer, always NUL-terminated after its n bytes. Zeroed = empty.
 * Out of memory ends the process (see arena.h). */
#ifndef FASTEST_BASE_BUF_H
#define FASTEST_BASE_BUF_H

#include "runtime/base/str.h"

#include <stdarg.h>
#include <stdint.h>

struct buf {
    char *p;
    size_t n, cap;
};

void buf_reserve(struct buf *b, size_t extra);

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
    if (b->cap - b->n <= n)
        buf_reserve(b, n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

static inline void buf_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

static inline void buf_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

static inline void buf_z(struct buf *b, const char *z)
{
    buf_add(b, z, strlen(z));
}

void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
void buf_clear(struct buf *b);   /* keeps the memory */
void buf_release(struct buf *b); /* frees it */
struct str buf_view(const struct buf *b); /* valid until the next change */

#endif
