/* Commands about something: what they are about, apart from the options. */
#ifndef FASTEST_CLI_TARGETS_H
#define FASTEST_CLI_TARGETS_H

#include "runtime/base/opt.h"
#include "runtime/cli/options.h"

struct targets {
    char **options, **items; /* the options for cli_parse; what does not begin with a dash */
    int n_options, n_items;
    struct cli cli;
    struct arena arena;
};

/* Own options by the table into *own, the common ones and pytest's into t->cli. False with err. */
bool targets_parse(struct targets *t, const struct opt *table, void *own, int argc, char **argv, struct err *err);
/* An item as an absolute path without its "::…", in the arena. */
struct str targets_path(struct targets *t, const char *item);
void targets_release(struct targets *t);

#endif
