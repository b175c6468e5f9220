#include "generator/config/config.h"

#include "generator/config/config_args.h"
#include "generator/config/config_file.h"
#include "generator/config/config_ini.h"
#include "generator/config/config_paths.h"
#include "generator/config/ini.h"
#include "generator/config/own.h"
#include "runtime/base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
    struct config *c;
    struct probe *p;
    struct arena *arena;
    struct str cwd;
    int pytest;
    struct config_loader loader;
    struct config_found found;
    struct config_args args; /* of the whole command line */
    struct config_ini ini;
    struct err *err;
};

/* "9.2.0" is 902; what is not installed counts as the newest that we know. */
static int version_number(struct str version)
{
    int parts[2] = {0, 0}, i = 0;
    for (size_t k = 0; k < version.n && i < 2; k++) {
        if (version.p[k] >= '0' && version.p[k] <= '9' && parts[i] < 1000)
            parts[i] = parts[i] * 10 + (version.p[k] - '0');
        else
            i = version.p[k] == '.' ? i + 1 : 2;
    }
    return version.n ? parts[0] * 100 + (parts[1] < 99 ? parts[1] : 99) : 902;
}

static struct str keep(struct reading *r, struct str s)
{
    return (struct str){arena_dup(r->arena, s.p ? s.p : "", s.n), s.n};
}

static struct str absolute(struct reading *r, struct str path)
{
    struct buf b = {0};
    path_join(&b, r->cwd, path);
    struct str s = keep(r, buf_view(&b));
    buf_release(&b);
    return s;
}

static void add_all(struct strs *out, const struct strs *from)
{
    for (size_t i = 0; i < from->n; i++)
        strs_add(out, from->items[i]);
}

/* config.py: the environment's options come before the command line's; addopts before both. */
static bool read_options(struct reading *r, const struct generate_options *o)
{
    struct config_args_rules rules = {r->pytest, false, r->cwd, r->arena};
    struct config_args first = {0};
    struct strs given = {0}, all = {0};
    struct err why = {{0}};
    bool ok = ini_shlex(str_z(getenv("PYTEST_ADDOPTS")), r->arena, &given, &why) ||
              err_set(r->err, "PYTEST_ADDOPTS: %s", why.msg);
    for (int i = 0; i < o->n_args; i++)
        strs_add(&given, keep(r, str_z(o->args[i])));
    ok = ok && config_args_parse(&first, &given, &rules, r->err) &&
         config_find(&r->found, &r->loader, &first, r->cwd, r->err);
    r->ini = (struct config_ini){&r->found.dict, r->found.ini, r->arena, r->err};
    ok = ok && config_ini_args(&r->ini, "addopts", &all);
    add_all(&all, &given);
    rules.plugins = true;
    ok = ok && config_args_parse(&r->args, &all, &rules, r->err);
    if (ok && r->pytest >= 902) /* addopts can override too, one level deep */
        ok = config_find_overrides(&r->found.dict, &r->args.overrides, r->arena, r->err);
    config_args_release(&first);
    strs_release(&given);
    strs_release(&all);
    return ok;
}

static bool list_or(struct reading *r, const char *name, struct strs *out, const char *const *defaults)
{
    if (!config_dict_get(&r->found.dict, name))
        for (; *defaults; defaults++)
            strs_add(out, str_z(*defaults));
    return config_ini_args(&r->ini, name, out);
}

static bool read_patterns(struct reading *r)
{
    static const char *const files[] = {"test_*.py", "*_test.py", NULL}, *const classes[] = {"Test", NULL},
                             *const functions[] = {"test", NULL}, *const none[] = {NULL};
    static const char *const norecurse[] = {"*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules",
                                            "venv", "{arch}", NULL};
    return list_or(r, "python_files", &r->p->python_files, files) &&
           list_or(r, "usefixtures", &r->c->usefixtures, none) &&
           list_or(r, "python_classes", &r->c->python_classes, classes) &&
           list_or(r, "python_functions", &r->c->python_functions, functions) &&
           list_or(r, "norecursedirs", &r->p->norecurse, norecurse) &&
           config_ini_lines(&r->ini, "markers", &r->c->markers);
}

static bool read_ids(struct reading *r)
{
    bool strict = false;
    bool ok = config_ini_text(&r->ini, "parametrize_long_str_id_strategy", &r->c->long_str_ids) &&
              config_ini_text(&r->ini, "empty_parameter_set_mark", &r->c->empty_mark) &&
              config_ini_bool(&r->ini,
                              "disable_test_id_escaping_and_forfeit_all_rights_to_community_support",
                              &r->c->no_escape_ids);
    if (!ok || r->pytest < 900)
        return ok;
    ok = config_ini_bool(&r->ini, "strict", &strict);
    r->c->strict_parametrization_ids = strict;
    return ok && config_ini_bool(&r->ini, "strict_parametrization_ids", &r->c->strict_parametrization_ids);
}

/* What an "action:message:category:module:line" does to a warning of pytest's: 1 an error of it, 0 none, -1 it is
 * not meant. A filter with a message or a place may mean others. */
static int filter_effect(struct str filter, const char *category)
{
    const char *const categories[] = {"", "Warning", "UserWarning", "pytest.PytestWarning", category};
    struct str rest = filter, action = STR(""), part = STR("");
    bool mine = false;
    str_next(&rest, ':', &action);
    action = str_trim(action);
    bool error = str_eq(action, STR("error")), all = true;
    for (int i = 0; i < 4 && rest.p && str_next(&rest, ':', &part); i++) {
        for (size_t k = 0; i == 1 && k < sizeof categories / sizeof *categories; k++)
            mine = mine || str_eq(str_trim(part), str_z(categories[k]));
        all = all && (i == 1 ? mine : !str_trim(part).n);
    }
    return !all ? -1 : error;
}

/* The last filter that matches decides. */
static bool is_error(const struct strs *filters, const char *category)
{
    bool error = false;
    for (size_t i = 0; i < filters->n; i++) {
        int effect = filter_effect(filters->items[i], category);
        error = effect < 0 ? error : effect == 1;
    }
    return error;
}

static bool read_marks(struct reading *r)
{
    struct str anyio = STR("");
    if (!config_ini_text(&r->ini, "anyio_mode", &anyio))
        return false;
    r->c->anyio_auto = str_eq(anyio, STR("auto"));
    for (size_t i = 0; i < r->args.unknown.n; i++)
        r->c->anyio_auto = r->c->anyio_auto || str_starts(r->args.unknown.items[i], STR("--anyio-mode"));
    struct strs filters = {0};
    bool strict = false, ok = config_ini_lines(&r->ini, "filterwarnings", &filters);
    if (ok && r->pytest >= 900) {
        ok = config_ini_bool(&r->ini, "strict", &strict);
        r->c->strict_markers = strict;
        ok = ok && config_ini_bool(&r->ini, "strict_markers", &r->c->strict_markers);
    }
    for (size_t i = 0; i < r->args.overrides.n; i++) {
        struct str o = r->args.overrides.items[i];
        r->c->strict_markers = r->c->strict_markers || str_eq(o, STR("strict_markers=true")) || str_eq(o, STR("strict=true"));
    }
    add_all(&filters, &r->args.warnings);
    r->c->unknown_marks_fail = is_error(&filters, "pytest.PytestUnknownMarkWarning");
    r->c->uncollected_fail = is_error(&filters, "pytest.PytestCollectionWarning");
    strs_release(&filters);
    return ok;
}

/* pathlib's base / part: ".." stays. */
static struct str slash(struct reading *r, struct str base, struct str part)
{
    struct buf b = {0};
    struct str rest = part, name;
    bool whole = part.n && part.p[0] == '/';
    buf_str(&b, whole ? STR("") : base);
    while (str_next(&rest, '/', &name)) {
        if (!name.n || str_eq(name, STR(".")))
            continue;
        if (b.n != 1 || b.p[0] != '/')
            buf_char(&b, '/');
        buf_str(&b, name);
    }
    struct str s = keep(r, b.n ? buf_view(&b) : STR("/"));
    buf_release(&b);
    return s;
}

static struct str dir_of(struct str path)
{
    struct str dir = path_dir(path);
    return dir.n ? dir : STR("/");
}

static bool read_path(struct reading *r)
{
    struct strs given = {0};
    const char *safe = getenv("PYTHONSAFEPATH");
    bool ok = config_ini_args(&r->ini, "pythonpath", &given);
    struct str base = r->found.ini.n ? dir_of(r->found.ini) : r->cwd;
    for (size_t i = 0; i < given.n; i++) {
        strs_add(&r->p->pythonpath, slash(r, base, given.items[i]));
        strs_add(&r->p->path, absolute(r, r->p->pythonpath.items[i]));
    }
    if (r->c->interp.scripts.n && !(safe && *safe && r->c->interp.minor >= 11))
        strs_add(&r->p->path, r->c->interp.scripts);
    add_all(&r->p->path, &r->c->interp.path);
    strs_release(&given);
    return ok;
}

/* The arguments, else what testpaths match, else the working directory. */
static bool decide_args(struct reading *r, struct strs *out)
{
    struct strs testpaths = {0};
    add_all(out, &r->args.paths);
    bool ok = config_ini_args(&r->ini, "testpaths", &testpaths);
    for (size_t i = 0; i < testpaths.n && !r->args.paths.n && str_eq(r->cwd, r->found.root); i++) {
        if (r->args.pyargs || r->pytest < 702)
            strs_add(out, testpaths.items[i]);
        else
            config_glob(testpaths.items[i], r->cwd, r->arena, out);
    }
    if (!out->n)
        strs_add(out, r->cwd);
    strs_release(&testpaths);
    return ok;
}

/* The path of an argument and what follows "::". Before 9.2 a bracket ends the path, too. */
static struct str split_arg(struct reading *r, struct str arg, struct str *node)
{
    const char *at = arg.n ? memmem(arg.p, arg.n, "::", 2) : NULL;
    struct str path = at ? str_slice(arg, 0, (size_t)(at - arg.p)) : arg;
    *node = at ? str_slice(arg, path.n + 2, arg.n) : STR("");
    if (r->pytest >= 902)
        return path;
    size_t bracket = str_chr(arg, '[');
    if (bracket < path.n)
        *node = STR("");
    return str_slice(path, 0, bracket);
}

static bool read_args(struct reading *r)
{
    struct strs args = {0};
    bool ok = decide_args(r, &args);
    for (size_t i = 0; i < args.n && ok; i++) {
        struct str node, path = split_arg(r, args.items[i], &node);
        if (r->args.pyargs)
            path = config_pyarg(path, &r->p->path, r->arena);
        strs_add(&r->p->args, absolute(r, path));
        strs_add(&r->p->arg_texts, args.items[i]);
        strs_add(&r->c->node_args, node);
    }
    strs_release(&args);
    return ok;
}

static void read_plugins(struct reading *r)
{
    struct str rest = str_z(getenv("PYTEST_PLUGINS")), name;
    for (size_t i = 0; i < r->args.plugins.n; i++)
        strs_add(&r->c->plugins, str_trim(r->args.plugins.items[i]));
    while (rest.n && str_next(&rest, ',', &name))
        if (name.n)
            strs_add(&r->c->plugins, keep(r, name));
}

static void read_flags(struct reading *r)
{
    struct probe *p = r->p;
    const struct config_args *a = &r->args;
    p->import_mode = a->import_mode.n ? a->import_mode : STR("prepend");
    p->noconftest = a->noconftest ? STR("1") : STR("0");
    p->in_venv = a->in_venv ? STR("1") : STR("0");
    p->doctest_modules = a->doctest_modules ? STR("1") : STR("0");
    p->other = STR("0");
    for (size_t i = 0; i < a->ignore.n; i++)
        strs_add(&p->ignore, absolute(r, a->ignore.items[i]));
    for (size_t i = 0; i < a->ignore_glob.n; i++)
        strs_add(&p->ignore_glob, absolute(r, a->ignore_glob.items[i]));
    add_all(&p->doctest_glob, &a->doctest_glob);
    if (!p->doctest_glob.n)
        strs_add(&p->doctest_glob, STR("test*.txt"));
    r->c->keyword = a->keyword;
    r->c->markexpr = a->markexpr;
    r->c->continue_on_errors = a->continue_on_errors;
    r->c->verbosity = a->verbosity;
    add_all(&r->c->deselect, &a->deselect);
    add_all(&r->c->unknown, &a->unknown);
}

static void read_roots(struct reading *r)
{
    r->p->root = r->found.root;
    r->p->ini = r->found.ini;
    if (r->args.confcutdir.n)
        r->p->cutdir = absolute(r, r->args.confcutdir);
    else if (r->found.ini.n)
        r->p->cutdir = dir_of(r->found.ini);
    else
        r->p->cutdir = r->pytest >= 704 ? r->found.root : STR("");
}

/* [tool.fastest] of the root's pyproject.toml; a damaged one is pytest's business. */
static void read_own_table(struct reading *r)
{
    struct str path = slash(r, r->found.root, STR("pyproject.toml"));
    if (io_stat_path(path.p).kind != IO_FILE || !config_file_pyproject(&r->loader, path, NULL))
        return;
    const struct toml_value *table = toml_get(toml_get(&r->loader.toml, STR("tool")), STR("fastest"));
    const struct toml_value *parser = toml_get(table, STR("parser")), *env = toml_get(table, STR("env"));
    if (parser && parser->type == TOML_STRING)
        r->c->parser = parser->text;
    for (const struct toml_value *v = env && env->type == TOML_ARRAY ? env->first : NULL; v; v = v->next)
        strs_add(&r->p->env, v->text);
}

static bool check_version(struct reading *r)
{
    struct str wanted = STR("");
    if (!config_ini_text(&r->ini, "minversion", &wanted))
        return false;
    return !wanted.n || version_number(wanted) <= r->pytest ||
           err_set(r->err, "%.*s: 'minversion' requires pytest-%.*s, actual pytest-%.*s'", (int)r->found.ini.n,
                   r->found.ini.p, (int)wanted.n, wanted.p, (int)r->c->interp.pytest.n,
                   r->c->interp.pytest.p);
}

static void take_interp(struct reading *r)
{
    const struct interp *x = &r->c->interp;
    char version[48];
    snprintf(version, sizeof version, x->micro < 0 ? "%u.%u" : "%u.%u.%d", x->major, x->minor, x->micro);
    r->p->chosen = x->python.p;
    r->p->python = x->executable;
    r->p->version = keep(r, str_z(version));
    r->p->pytest = x->pytest;
    add_all(&r->p->third, &x->third);
}

static bool read_all(struct reading *r, const struct generate_options *o)
{
    if (!interp_find(&r->c->interp, o->python, o->cwd, r->err))
        return false;
    r->pytest = version_number(r->c->interp.pytest);
    r->c->pytest = (uint32_t)r->pytest;
    r->loader = (struct config_loader){.pytest = r->pytest, .arena = r->arena, .toml_path = STR("")};
    if (o->own) {
        r->loader.toml_path = o->own->toml_path;
        r->loader.toml = o->own->toml;
    }
    take_interp(r);
    if (!read_options(r, o) || !check_version(r))
        return false;
    read_roots(r);
    read_flags(r);
    read_plugins(r);
    read_own_table(r);
    return read_patterns(r) && read_ids(r) && read_marks(r) && read_path(r) && read_args(r);
}

bool config_read(struct config *c, const struct generate_options *o, enum exit_code *code,
                 struct err *err)
{
    *c = (struct config){.keyword = STR(""), .markexpr = STR(""), .long_str_ids = STR(""),
                         .empty_mark = STR(""), .parser = STR("")};
    struct reading r = {.c = c, .p = &c->probe, .arena = &c->probe.arena, .cwd = str_z(o->cwd), .err = err};
    bool ok = read_all(&r, o);
    *code = ok ? EXIT_PASSED : EXIT_USAGE;
    config_args_release(&r.args);
    config_dict_release(&r.found.dict);
    return ok;
}

void config_release(struct config *c)
{
    struct strs *lists[] = {&c->usefixtures, &c->python_classes, &c->python_functions, &c->deselect, &c->node_args,
                            &c->plugins, &c->markers, &c->unknown};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        strs_release(lists[i]);
    interp_release(&c->interp);
    probe_release(&c->probe);
}
