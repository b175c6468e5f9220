/* The options that config_args.c knows: pytest's own (7.0 to 9.2) and those of common plugins. */
#ifndef FASTEST_GENERATOR_CONFIG_OPTIONS_H
#define FASTEST_GENERATOR_CONFIG_OPTIONS_H

#include "runtime/base/str.h"

#include <stdbool.h>

enum config_option_value { VALUE_NO, VALUE_YES, VALUE_MAYBE }; /* nargs: 0, 1, "?" */
enum config_option_kind {
    OPTION_OTHER, /* of no interest to us */
    OPTION_STR, OPTION_LIST, OPTION_FLAG,
    OPTION_MORE, OPTION_LESS, OPTION_VERBOSITY, /* -v, -q, --verbosity=N */
    OPTION_OVERRIDE                             /* a flag that is -o name=true since pytest 9 */
};
struct config_option {
    const char *name;
    enum config_option_value value;
    bool plugin;
    enum config_option_kind kind;
    unsigned offset;   /* in struct config_args */
    const char *store; /* OVERRIDE: what it stands for */
};

/* One after the other, pytest's own first; NULL after the last. */
const struct config_option *config_option_at(size_t i);
/* NULL when it is not in the table. */
const struct config_option *config_option_find(struct str name, bool plugins);

#endif
