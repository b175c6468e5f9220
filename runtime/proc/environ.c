#include "runtime/proc/environ.h"

#include "runtime/base/hash.h"
#include "runtime/base/str.h"

extern char **environ;

static const char *const ignored[] = {
    "SHLVL", "_", "PWD", "OLDPWD", "NINJA_STATUS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS",
    "PYTEST_CURRENT_TEST",
};

static bool is_ignored(struct str entry)
{
    struct str name = str_slice(entry, 0, str_chr(entry, '='));
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        if (str_eq(name, str_z(ignored[i])))
            return true;
    return false;
}

uint64_t environ_hash(void)
{
    struct strs all = {0};
    for (char **e = environ; e && *e; e++)
        if (!is_ignored(str_z(*e)))
            strs_add(&all, str_z(*e));
    strs_sort(&all);
    struct hasher *h = hasher_new();
    for (size_t i = 0; i < all.n; i++)
        hasher_str(h, all.items[i]);
    strs_release(&all);
    return hasher_done(h).lo;
}
