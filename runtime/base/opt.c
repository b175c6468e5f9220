#include "runtime/base/opt.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The row that arg names; *value is what follows '=' or the letter, or NULL. */
static const struct opt *find(const struct opt *table, const char *arg, const char **value)
{
    *value = NULL;
    for (const struct opt *o = table; o->name; o++) {
        size_t n = strlen(o->name);
        if (arg[0] == '-' && arg[1] == '-' && strncmp(arg + 2, o->name, n) == 0 &&
            (arg[n + 2] == '\0' || arg[n + 2] == '=')) {
            *value = arg[n + 2] ? arg + n + 3 : NULL;
            return o;
        }
        bool letter = o->letter && arg[0] == '-' && arg[1] == o->letter;
        if (letter && (arg[2] == '\0' || o->kind != OPT_FLAG)) {
            *value = arg[2] ? arg + 2 + (arg[2] == '=') : NULL;
            return o;
        }
    }
    return NULL;
}

static bool set_int(int *target, const char *name, const char *value, struct err *err)
{
    char *end;
    errno = 0;
    long v = strtol(value, &end, 10);
    if (errno || end == value || *end || v < INT_MIN || v > INT_MAX)
        return err_set(err, "--%s: '%s' is not a number", name, value);
    *target = (int)v;
    return true;
}

static bool set(const struct opt *o, void *target, const char *value, struct err *err)
{
    void *field = (char *)target + o->offset;
    switch (o->kind) {
    case OPT_FLAG:
        if (value)
            return err_set(err, "--%s takes no value", o->name);
        *(bool *)field = true;
        return true;
    case OPT_STRING:
        *(const char **)field = value;
        return true;
    case OPT_INT:
        return set_int(field, o->name, value, err);
    }
    return false;
}

bool opt_parse(const struct opt *table, void *target, int argc, char **argv,
               opt_unknown_fn *unknown, void *ctx, struct err *err)
{
    bool ended = false;
    for (int i = 0; i < argc;) {
        const char *value;
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        const struct opt *o = ended ? NULL : find(table, argv[i], &value);
        if (!o) {
            int taken = unknown(ctx, argc - i, argv + i, err);
            if (taken <= 0)
                return false;
            i += taken;
            continue;
        }
        if (o->kind != OPT_FLAG && !value) {
            if (++i == argc)
                return err_set(err, "%s needs a value (%s)", argv[i - 1], o->metavar);
            value = argv[i];
        }
        if (!set(o, target, value, err))
            return false;
        i++;
    }
    return true;
}

void opt_help(const struct opt *table)
{
    for (const struct opt *o = table; o->name; o++) {
        char left[64];
        int n = o->letter ? snprintf(left, sizeof left, "  -%c, --%s", o->letter, o->name)
                          : snprintf(left, sizeof left, "      --%s", o->name);
        if (o->metavar && n > 0 && (size_t)n < sizeof left)
            snprintf(left + n, sizeof left - (size_t)n, " %s", o->metavar);
        printf("%-32s %s\n", left, o->help);
    }
}
