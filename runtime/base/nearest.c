#include "runtime/base/nearest.h"

#include <stdlib.h>

enum { MAX_BYTES = 63 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: three rows of the table. */
unsigned nearest_distance(struct str a, struct str b, unsigned limit)
{
    unsigned rows[3][MAX_BYTES + 1];
    size_t gap = a.n > b.n ? a.n - b.n : b.n - a.n;
    if (a.n > MAX_BYTES || b.n > MAX_BYTES || gap > limit)
        return limit + 1;
    for (size_t k = 0; k <= b.n; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= a.n; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = (unsigned)i;
        for (size_t k = 1; k <= b.n; k++) {
            unsigned replace = last[k - 1] + (a.p[i - 1] != b.p[k - 1]);
            now[k] = least(replace, least(last[k], now[k - 1]) + 1);
            if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1])
                now[k] = least(now[k], before[k - 2] + 1);
        }
    }
    unsigned found = rows[a.n % 3][b.n];
    return found > limit ? limit + 1 : found;
}

/* A third of the word may be wrong; words of one or two letters have no neighbours. */
void nearest_try(struct nearest *n, struct str known)
{
    unsigned limit = n->word.n < 3 ? 0 : least(3, (unsigned)((n->word.n + 2) / 3));
    unsigned found = nearest_distance(n->word, known, limit);
    if (found <= limit && (!n->best.p || found < n->distance)) {
        n->best = known;
        n->distance = found;
    }
}
