/* pytest's configuration without pytest: rootdir, ini file, addopts, paths, patterns.
 *
 * Follows pytest 7.0 to 9.2 (src/_pytest/config/findpaths.py, config/__init__.py, argparsing, main.py,
 * python.py): pytest.toml, .pytest.toml, pytest.ini, .pytest.ini, pyproject.toml, tox.ini, setup.cfg in
 * pytest's order for its version. Fills the same struct as the probe, which asks the real pytest; a
 * test compares the two. Starts no process except where interp.h says so. */
#ifndef FASTEST_GENERATOR_CONFIG_H
#define FASTEST_GENERATOR_CONFIG_H

#include "generator/config/interp.h"
#include "generator/config/probe.h"

struct config {
    struct probe probe;          /* root, ini, cutdir, import_mode, args, arg_texts, python_files,
                                    norecurse, ignore, ignore_glob, pythonpath, doctest_glob, path,
                                    third, noconftest, in_venv, doctest_modules, pytest, python */
    struct interp interp;
    uint32_t pytest;             /* its version: 902 is 9.2; what is not installed counts as the newest */
    struct strs python_classes, python_functions, usefixtures;
    struct strs deselect;        /* prefixes, as given */
    struct strs node_args;       /* for each of probe.args: what follows the first "::", or "" */
    struct strs plugins;         /* -p NAME from addopts, PYTEST_PLUGINS, the command line ("no:x" too) */
    struct str keyword, markexpr;/* -k, -m; "" when not given */
    struct str long_str_ids, empty_mark; /* ini: parametrize_long_str_id_strategy, … */
    struct str parser;           /* [tool.fastest] parser: "", "ast", "regex" or "auto" */
    struct strs markers;         /* ini: markers, the lines */
    bool strict_parametrization_ids;   /* pytest 9 */
    bool strict_markers;
    bool unknown_marks_fail;     /* its warning of marks that are not registered is an error: filterwarnings, -W */
    bool uncollected_fail;       /* and that of what looks like a test and is none */
    bool no_escape_ids;          /* disable_test_id_escaping_and_forfeit_… */
    bool anyio_auto;             /* anyio's plugin: anyio_mode = auto */
    bool continue_on_errors;     /* --continue-on-collection-errors */
    int verbosity;               /* -v up, -q down */
    struct strs unknown;         /* options that are not pytest's own: a plugin's */
};

/* args: pytest's arguments as given. False with err and *code (usage error: bad ini file, with its
 * name and line; unknown path is left to the walk). */
bool config_read(struct config *c, const struct generate_options *o, enum exit_code *code,
                 struct err *err);
void config_release(struct config *c);

#endif
