#include "generator/config/config_args.h"

#include "generator/config/config_options.h"
#include "runtime/base/io.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 16 }; /* @file that names another @file */

struct pass {
    struct config_args *x;
    const struct config_args_rules *rules;
    struct strs args;
    size_t i;
    bool after_unknown; /* the last argument was an option that we do not know */
    struct err *err;
};

static const struct config_option *find(const struct pass *p, struct str name)
{
    return config_option_find(name, p->rules->plugins);
}

/* argparse's _parse_optional: what it would not take for an option is a path or a value. */
static bool is_option(const struct pass *p, struct str arg)
{
    if (arg.n < 2 || arg.p[0] != '-')
        return false;
    if (find(p, arg) || find(p, str_slice(arg, 0, str_chr(arg, '='))))
        return true;
    if (arg.p[1] != '-' && find(p, str_slice(arg, 0, 2)))
        return true;
    bool number = arg.p[1] >= '0' && arg.p[1] <= '9';
    return !number && str_chr(arg, ' ') == arg.n;
}

static int to_int(struct str s)
{
    int sign = s.n && s.p[0] == '-' ? -1 : 1, n = 0;
    for (size_t i = sign < 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9' && n < 100000; i++)
        n = n * 10 + (s.p[i] - '0');
    return sign * n;
}

static void store(struct pass *p, const struct config_option *o, struct str value)
{
    void *field = (char *)p->x + o->offset;
    switch (o->kind) {
    case OPTION_OTHER:
        break;
    case OPTION_STR:
        *(struct str *)field = value;
        break;
    case OPTION_LIST:
        strs_add(field, value);
        break;
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_MORE:
        p->x->verbosity++;
        break;
    case OPTION_LESS:
        p->x->verbosity--;
        break;
    case OPTION_VERBOSITY:
        p->x->verbosity = to_int(value);
        break;
    case OPTION_OVERRIDE:
        if (p->rules->pytest >= 900)
            strs_add(&p->x->overrides, str_z(o->store));
        break;
    }
}

/* The option's value is the next argument, if that is none itself. */
static bool take_value(struct pass *p, const struct config_option *o)
{
    bool there = p->i < p->args.n && !str_eq(p->args.items[p->i], STR("--")) &&
                 !is_option(p, p->args.items[p->i]);
    if (there)
        store(p, o, p->args.items[p->i++]);
    else if (o->value == VALUE_YES)
        return err_set(p->err, "pytest: error: argument %s: expected one argument", o->name);
    else
        store(p, o, STR(""));
    return true;
}

/* -xvk expr: letters without a value may stand together. */
static bool take_cluster(struct pass *p, struct str arg)
{
    for (size_t i = 1; i < arg.n; i++) {
        char name[3] = {'-', arg.p[i], '\0'};
        const struct config_option *o = find(p, str_z(name));
        if (!o) {
            strs_add(&p->x->unknown, arg);
            return true;
        }
        if (o->value == VALUE_NO) {
            store(p, o, STR(""));
            continue;
        }
        if (i + 1 == arg.n)
            return take_value(p, o);
        store(p, o, str_slice(arg, i + 1 + (arg.p[i + 1] == '='), arg.n));
        return true;
    }
    return true;
}

static bool take_option(struct pass *p, struct str arg)
{
    size_t eq = str_chr(arg, '=');
    const struct config_option *o = find(p, arg);
    if (o) {
        if (o->value != VALUE_NO)
            return take_value(p, o);
        store(p, o, STR(""));
        return true;
    }
    o = eq < arg.n ? find(p, str_slice(arg, 0, eq)) : NULL;
    if (o && o->value == VALUE_NO)
        return err_set(p->err, "pytest: error: argument %s: ignored explicit argument '%.*s'", o->name,
                       (int)(arg.n - eq - 1), arg.p + eq + 1);
    if (o) {
        store(p, o, str_slice(arg, eq + 1, arg.n));
        return true;
    }
    if (arg.p[1] != '-' && find(p, str_slice(arg, 0, 2)))
        return take_cluster(p, arg);
    strs_add(&p->x->unknown, arg);
    p->after_unknown = eq == arg.n;
    return true;
}

static bool there(const struct pass *p, struct str arg)
{
    struct buf b = {0};
    const char *names = arg.n ? memmem(arg.p, arg.n, "::", 2) : NULL;
    path_join(&b, p->rules->cwd, names ? str_slice(arg, 0, (size_t)(names - arg.p)) : arg);
    bool yes = io_stat_path(b.p).kind != IO_ABSENT;
    buf_release(&b);
    return yes;
}

/* @file: its lines are arguments (pytest 8.2). */
static bool expand(struct pass *p, struct str arg, int depth)
{
    struct buf path = {0}, text = {0};
    struct err why = {{0}};
    if (p->rules->pytest < 802 || arg.n < 2 || arg.p[0] != '@') {
        strs_add(&p->args, arg);
        return true;
    }
    if (depth > MAX_FILES)
        return err_set(p->err, "pytest: error: %.*s: nested too deeply", (int)arg.n, arg.p);
    path_join(&path, p->rules->cwd, str_slice(arg, 1, arg.n));
    bool ok = io_read(path.p, 1 << 20, &text, &why);
    if (!ok)
        err_set(p->err, "pytest: error: %s", why.msg);
    struct str rest = {text.n ? arena_dup(p->rules->arena, text.p, text.n) : NULL, text.n}, line;
    while (ok && rest.n && str_next(&rest, '\n', &line)) {
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        ok = expand(p, (struct str){arena_dup(p->rules->arena, line.p, line.n), line.n}, depth + 1);
    }
    buf_release(&path);
    buf_release(&text);
    return ok;
}

static bool take_all(struct pass *p)
{
    bool only_paths = false;
    while (p->i < p->args.n) {
        struct str arg = p->args.items[p->i++];
        bool maybe_value = p->after_unknown;
        p->after_unknown = false;
        if (!only_paths && str_eq(arg, STR("--")))
            only_paths = true;
        else if (!only_paths && is_option(p, arg)) {
            if (!take_option(p, arg))
                return false;
        } else if (!maybe_value || there(p, arg)) {
            strs_add(&p->x->paths, arg);
        }
    }
    return true;
}

static bool check(const struct config_args *x, const struct config_args_rules *rules, struct err *err)
{
    struct str m = x->import_mode;
    if (m.n && !str_eq(m, STR("prepend")) && !str_eq(m, STR("append")) && !str_eq(m, STR("importlib")))
        return err_set(err, "pytest: error: argument --import-mode: invalid choice: '%.*s' (choose from "
                            "prepend, append, importlib)", (int)m.n, m.p);
    struct buf b = {0};
    path_join(&b, rules->cwd, x->confcutdir);
    bool ok = !x->confcutdir.n || io_stat_path(b.p).kind == IO_DIR;
    buf_release(&b);
    return ok || err_set(err, "--confcutdir must be a directory, given: %.*s", (int)x->confcutdir.n,
                         x->confcutdir.p);
}

bool config_args_parse(struct config_args *x, const struct strs *args,
                       const struct config_args_rules *rules, struct err *err)
{
    struct pass p = {.x = x, .rules = rules, .err = err};
    bool ok = true;
    x->inifile = x->rootdir = x->confcutdir = x->import_mode = x->keyword = x->markexpr = STR("");
    for (size_t i = 0; i < args->n && ok; i++)
        ok = expand(&p, args->items[i], 0);
    ok = ok && take_all(&p) && check(x, rules, err);
    strs_release(&p.args);
    return ok;
}

void config_args_release(struct config_args *x)
{
    strs_release(&x->paths);
    strs_release(&x->overrides);
    strs_release(&x->plugins);
    strs_release(&x->ignore);
    strs_release(&x->ignore_glob);
    strs_release(&x->deselect);
    strs_release(&x->doctest_glob);
    strs_release(&x->warnings);
    strs_release(&x->unknown);
}
