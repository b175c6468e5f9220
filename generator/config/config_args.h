/* pytest's command line (argparse as pytest 7.0 to 9.2 sets it up), for the options that decide what
 * is collected. The table also has the options of common plugins: what takes a value must be known. */
#ifndef FASTEST_GENERATOR_CONFIG_ARGS_H
#define FASTEST_GENERATOR_CONFIG_ARGS_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

struct config_args {
    struct strs paths;     /* as given */
    struct strs overrides; /* -o name=value */
    struct strs plugins, ignore, ignore_glob, deselect, doctest_glob, warnings, unknown;
    struct str inifile, rootdir, confcutdir, import_mode, keyword, markexpr; /* "" when not given */
    bool noconftest, in_venv, doctest_modules, pyargs, continue_on_errors, no_autoload;
    int verbosity;
};

struct config_args_rules {
    int pytest;          /* 902 is 9.2 */
    bool plugins;        /* know the plugins' options: pytest does so once it has loaded them */
    struct str cwd;
    struct arena *arena; /* of what @file gives */
};

/* Views point into args' strings, which must be NUL-terminated. False with err: usage error. */
bool config_args_parse(struct config_args *x, const struct strs *args,
                       const struct config_args_rules *rules, struct err *err);
void config_args_release(struct config_args *x);

#endif
