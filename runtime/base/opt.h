/* Command-line options from one table: parsing, help text and completion come from it.
 *
 * Long options take `--name VALUE` and `--name=VALUE`, short ones `-nVALUE` and `-n VALUE`.
 * What the table does not know goes, in order, to the `unknown` callback (pytest's options). */
#ifndef FASTEST_BASE_OPT_H
#define FASTEST_BASE_OPT_H

#include "runtime/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_kind { OPT_FLAG, OPT_STRING, OPT_INT };
struct opt {
    const char *name;    /* without the dashes */
    char letter;         /* 0 for none */
    enum opt_kind kind;
    size_t offset;       /* of the bool, const char * or int in the caller's struct */
    const char *metavar; /* NULL for flags */
    const char *help;
};

/* Called for every argument that is not in the table, with what follows it; returns how many
 * arguments it took (>= 1), or 0 with err set. */
typedef int opt_unknown_fn(void *ctx, int argc, char **argv, struct err *err);

/* Parses argv[0..argc) into *target. table ends with name == NULL. "--" ends the options: the
 * rest goes to unknown one by one. */
bool opt_parse(const struct opt *table, void *target, int argc, char **argv,
               opt_unknown_fn *unknown, void *ctx, struct err *err);
/* Prints the table as help lines. */
void opt_help(const struct opt *table);

#endif
