#include "runtime/base/units.h"

#include <ctype.h>
#include <stdlib.h>

struct unit {
    const char *name;
    double factor;
};

/* Digits with at most one point, then one of these names. */
static bool number(struct str text, const struct unit *units, size_t n_units, double *out)
{
    char digits[32];
    size_t n = 0;
    while (n < text.n && (isdigit((unsigned char)text.p[n]) || text.p[n] == '.'))
        n++;
    if (n == 0 || n >= sizeof digits || text.p[0] == '.')
        return false;
    memcpy(digits, text.p, n);
    digits[n] = '\0';
    char *end;
    double value = strtod(digits, &end);
    struct str unit = str_slice(text, n, text.n);
    for (size_t i = 0; *end == '\0' && i < n_units; i++)
        if (str_eq(unit, str_z(units[i].name))) {
            *out = value * units[i].factor;
            return true;
        }
    return false;
}

bool units_duration_ms(struct str text, uint32_t *ms)
{
    static const struct unit units[] = {{"", 1e3}, {"s", 1e3}, {"ms", 1}, {"m", 6e4}, {"h", 36e5}};
    double value;
    if (!number(text, units, sizeof units / sizeof *units, &value) || value >= UINT32_MAX)
        return false;
    *ms = (uint32_t)value;
    if (*ms < value)
        ++*ms; /* a positive time never becomes 0, which means none */
    return true;
}

bool units_size_bytes(struct str text, uint64_t *bytes)
{
    static const struct unit units[] = {{"", 1},           {"B", 1},          {"k", 1024},     {"K", 1024},
                                        {"kB", 1024},      {"KB", 1024},      {"M", 1048576},  {"MB", 1048576},
                                        {"G", 1073741824}, {"GB", 1073741824}};
    double value;
    if (!number(text, units, sizeof units / sizeof *units, &value) || value >= 1e18)
        return false;
    *bytes = (uint64_t)value;
    return true;
}
