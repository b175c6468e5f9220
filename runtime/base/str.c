#include "runtime/base/str.h"

#include "runtime/base/arena.h"

#include <stdlib.h>
#include <string.h>

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

size_t str_chr(struct str s, char c)
{
    const char *hit = s.n ? memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : s.n;
}

size_t str_rchr(struct str s, char c)
{
    for (size_t i = s.n; i-- > 0;)
        if (s.p[i] == c)
            return i;
    return s.n;
}

bool str_contains(struct str s, struct str needle)
{
    enum { SHORT = 512 }; /* memmem first makes a table */
    if (s.n > SHORT || needle.n == 0)
        return needle.n == 0 || memmem(s.p, s.n, needle.p, needle.n) != NULL;
    for (const char *p = s.p, *end = s.p + s.n; (size_t)(end - p) >= needle.n; p++) {
        p = memchr(p, *needle.p, (size_t)(end - p) - needle.n + 1);
        if (!p)
            return false;
        if (memcmp(p, needle.p, needle.n) == 0)
            return true;
    }
    return false;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.n && is_space(*s.p))
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n && is_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_next(struct str *rest, char sep, struct str *part)
{
    if (!rest->p)
        return false;
    size_t i = str_chr(*rest, sep);
    *part = (struct str){rest->p, i};
    *rest = i < rest->n ? str_slice(*rest, i + 1, rest->n) : (struct str){NULL, 0};
    return true;
}

struct str path_base(struct str path)
{
    size_t i = str_rchr(path, '/');
    return i == path.n ? path : str_slice(path, i + 1, path.n);
}

struct str path_dir(struct str path)
{
    size_t i = str_rchr(path, '/');
    return i == path.n ? (struct str){path.p, 0} : str_slice(path, 0, i);
}

void strs_add(struct strs *l, struct str s)
{
    l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof *l->items);
    l->items[l->n++] = s;
}

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void strs_sort(struct strs *l)
{
    if (l->n > 1)
        qsort(l->items, l->n, sizeof *l->items, compare);
}

void strs_unique(struct strs *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        if (n == 0 || !str_eq(l->items[n - 1], l->items[i]))
            l->items[n++] = l->items[i];
    l->n = n;
}

bool strs_has(const struct strs *l, struct str s)
{
    for (size_t i = 0; i < l->n; i++)
        if (str_eq(l->items[i], s))
            return true;
    return false;
}

void strs_release(struct strs *l)
{
    free(l->items);
    *l = (struct strs){0};
}
