/* String views: bytes that somebody else owns, not NUL-terminated unless said.
 * Paths and node ids are bytes, never assumed to be UTF-8. */
#ifndef FASTEST_BASE_STR_H
#define FASTEST_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})

/* NULL gives the empty view. */
static inline struct str str_z(const char *z)
{
    return z ? (struct str){z, strlen(z)} : (struct str){"", 0};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* Clamped to s. */
static inline struct str str_slice(struct str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return (struct str){s.p ? s.p + from : NULL, to - from};
}

int str_cmp(struct str a, struct str b); /* memcmp order, shorter first */
bool str_ends(struct str s, struct str suffix);
/* Index of the first/last c, or s.n when absent. */
size_t str_chr(struct str s, char c);
size_t str_rchr(struct str s, char c);
bool str_contains(struct str s, struct str needle);
struct str str_trim(struct str s); /* ASCII white space at both ends */
/* Splits off the part before the first sep: *rest is what follows; false when *rest is used up
 * (start with *rest = whole, rest->p == NULL ends). */
bool str_next(struct str *rest, char sep, struct str *part);
/* The part after the last '/', and the part before it ("" when there is none). */
struct str path_base(struct str path);
struct str path_dir(struct str path);

/* A growing, sorted-on-demand list of views; items is malloc'ed. Zeroed = empty. */
struct strs {
    struct str *items;
    size_t n, cap;
};
void strs_add(struct strs *l, struct str s);
void strs_sort(struct strs *l);   /* str_cmp order */
void strs_unique(struct strs *l); /* after strs_sort */
bool strs_has(const struct strs *l, struct str s); /* linear */
void strs_release(struct strs *l);

#endif
