/* pytest's Config.getini for the options that discovery needs. */
#ifndef FASTEST_GENERATOR_CONFIG_INI_H
#define FASTEST_GENERATOR_CONFIG_INI_H

#include "generator/config/config_file.h"

struct config_ini {
    const struct config_dict *dict;
    struct str file; /* "" when there is none */
    struct arena *arena;
    struct err *err;
};

/* Each appends or sets what the option has, nothing when it is not set; false with err: usage error. */
bool config_ini_args(const struct config_ini *x, const char *name, struct strs *out);
bool config_ini_lines(const struct config_ini *x, const char *name, struct strs *out);
bool config_ini_text(const struct config_ini *x, const char *name, struct str *out);
bool config_ini_bool(const struct config_ini *x, const char *name, bool *out);

#endif
