/* One of pytest's configuration files, and the search for it (src/_pytest/config/findpaths.py). */
#ifndef FASTEST_GENERATOR_CONFIG_FILE_H
#define FASTEST_GENERATOR_CONFIG_FILE_H

#include "generator/config/config_args.h"
#include "generator/config/toml.h"
#include "runtime/base/buf.h"

struct config_value {
    struct str name;
    const struct toml_value *value; /* of an INI file: a string */
    bool native;                    /* TOML's types count (pytest 9's TOML mode) */
    bool override;                  /* from -o */
};
struct config_dict {
    struct config_value *items; /* malloc'ed */
    size_t n, cap;
};

struct config_loader {
    int pytest;
    struct arena *arena;
    struct str toml_path; /* the pyproject.toml that was read last, and what is in it */
    struct toml_value toml;
};

/* -1: usage error (err), 0: no configuration of pytest's in it, 1: *out is filled. */
int config_file_load(struct config_loader *l, struct str path, struct config_dict *out, struct err *err);
/* The tables [tool.pytest…] and [tool.fastest…] of a pyproject.toml; false with err. */
bool config_file_pyproject(struct config_loader *l, struct str path, struct err *err);
/* The last value of that name (overrides come last), or NULL. */
const struct config_value *config_dict_get(const struct config_dict *d, const char *name);
void config_dict_put(struct config_dict *d, struct config_value v);
void config_dict_release(struct config_dict *d);

struct config_found {
    struct str root, ini; /* ini: "" when there is none */
    struct config_dict dict;
};
/* args: of a parse that does not know the plugins' options. False with err: usage error. */
bool config_find(struct config_found *out, struct config_loader *l, const struct config_args *args,
                 struct str cwd, struct err *err);
/* os.path.expandvars: $NAME and ${NAME}; what is not set stays. Appends to out. */
void config_find_expand(struct str s, struct buf *out);
/* -o name=value into the dictionary. */
bool config_find_overrides(struct config_dict *d, const struct strs *overrides, struct arena *a,
                           struct err *err);

#endif
