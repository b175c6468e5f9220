#include "runtime/base/opt.h"

#include "runtime/base/nearest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

bool opt_next_word(const char **words, struct str *word)
{
    if (!*words || !**words)
        return false;
    size_t n = strcspn(*words, "|");
    *word = (struct str){*words, n};
    *words += n + ((*words)[n] == '|');
    return true;
}

bool opt_has_word(const char *words, struct str word)
{
    struct str w;
    while (opt_next_word(&words, &w))
        if (str_eq(w, word))
            return true;
    return false;
}

static bool refuse_word(const struct opt *o, const char *what, const char *value, struct err *err)
{
    struct nearest near = {.word = str_z(value)};
    struct str w;
    char list[256] = "";
    size_t n = 0;
    for (const char *words = o->words; opt_next_word(&words, &w);) {
        nearest_try(&near, w);
        if (n + w.n + 3 < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s", n ? ", " : "", (int)w.n, w.p);
    }
    if (near.best.p)
        return err_set(err, "%s: '%s' is none of %s; did you mean %.*s?", what, value, list, (int)near.best.n,
                       near.best.p);
    return err_set(err, "%s: '%s' is none of %s", what, value, list);
}

/* ---- values ---- */

static bool set_int(const struct opt *o, int *target, const char *what, const char *value, struct err *err)
{
    char *end;
    errno = 0;
    long v = strtol(value, &end, 10);
    if (opt_has_word(o->words, str_z(value)))
        v = 0;
    else if (errno || end == value || *end || v < INT_MIN || v > INT_MAX)
        return err_set(err, "%s: '%s' is not a number", what, value);
    *target = (int)v;
    return true;
}

static bool set_flag(bool *target, const char *what, const char *value, struct err *err)
{
    struct str v = str_z(value);
    *target = !v.n || opt_has_word("1|true|yes|on", v);
    return *target || opt_has_word("0|false|no|off", v) ||
           err_set(err, "%s: '%s' is neither true nor false", what, value);
}

bool opt_set(const struct opt *o, void *target, const char *what, const char *value, struct err *err)
{
    void *field = (char *)target + o->offset;
    switch (o->kind) {
    case OPT_FLAG:
        return set_flag(field, what, value, err);
    case OPT_STRING:
        if (o->words && !opt_has_word(o->words, str_z(value)))
            return refuse_word(o, what, value, err);
        *(const char **)field = value;
        return true;
    case OPT_INT:
        return set_int(o, field, what, value, err);
    }
    return false;
}

/* ---- arguments ---- */

const struct opt *opt_find(const struct opt *table, unsigned scope, struct str name)
{
    for (const struct opt *o = table; o->name; o++)
        if (o->scope & scope && str_eq(str_z(o->name), name))
            return o;
    return NULL;
}

/* The row that arg names; *value is what follows '=' or the letter, or NULL. */
static const struct opt *find(const struct opt *table, unsigned scope, const char *arg, const char **value)
{
    *value = NULL;
    if (arg[0] != '-' || !arg[1])
        return NULL;
    if (arg[1] == '-') {
        size_t n = strcspn(arg + 2, "=");
        *value = arg[n + 2] ? arg + n + 3 : NULL;
        return opt_find(table, scope, (struct str){arg + 2, n});
    }
    for (const struct opt *o = table; o->name; o++)
        if (o->scope & scope && o->letter && arg[1] == o->letter) {
            *value = arg[2] && o->kind != OPT_FLAG ? arg + 2 + (arg[2] == '=') : NULL;
            return o;
        }
    return NULL;
}

/* -xvs without its first letter. */
static char *next_letter(char *arg)
{
    arg[1] = '-';
    return arg + 1;
}

static bool take(const struct opt *o, void *target, const char *arg, const char *value, struct err *err)
{
    char what[80];
    if (arg[1] == '-')
        snprintf(what, sizeof what, "--%s", o->name);
    else
        snprintf(what, sizeof what, "-%c", o->letter);
    if (o->kind == OPT_FLAG && value)
        return err_set(err, "%s takes no value", what);
    return opt_set(o, target, what, value ? value : "", err);
}

bool opt_parse(const struct opt_reader *r, int argc, char **argv, struct err *err)
{
    bool ended = false;
    for (int i = 0; i < argc;) {
        const char *value;
        if (!ended && strcmp(argv[i], "--") == 0)
            ended = true;
        const struct opt *o = ended ? NULL : find(r->table, r->scope, argv[i], &value);
        if (!o) {
            int taken = r->unknown(r->ctx, argc - i, argv + i, err);
            if (taken == OPT_REFUSED)
                return false;
            if (taken == OPT_LETTER)
                argv[i] = next_letter(argv[i]);
            i += taken > 0 ? taken : 0;
            continue;
        }
        const char *arg = argv[i];
        if (o->kind != OPT_FLAG && !value) {
            if (i + 1 == argc)
                return err_set(err, "%s needs a value (%s)", arg, o->metavar);
            value = argv[++i];
        }
        if (!take(o, r->target, arg, value, err))
            return false;
        if (r->seen)
            r->seen(r->ctx, o);
        if (o->kind == OPT_FLAG && arg[1] != '-' && arg[2])
            argv[i] = next_letter(argv[i]);
        else
            i++;
    }
    return true;
}
