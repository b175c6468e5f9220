/* Command-line options from one table: parsing, help, the manual and completion come from it.
 *
 * Long options take `--name VALUE` and `--name=VALUE`, short ones `-nVALUE` and `-n VALUE`; short flags
 * may stand together (-xvs). What the table does not know goes, in order, to the `unknown` callback. */
#ifndef FASTEST_BASE_OPT_H
#define FASTEST_BASE_OPT_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_kind { OPT_FLAG, OPT_STRING, OPT_INT };
struct opt {
    const char *name;    /* without the dashes */
    char letter;         /* 0 for none */
    enum opt_kind kind;
    size_t offset;       /* of the bool, const char * or int in the caller's struct */
    const char *metavar; /* NULL for flags; FILE, PATH and DIR complete as paths */
    unsigned scope;      /* bits of the caller's: where the option is known */
    const char *words;   /* "yes|no|auto": the values there are, of a number words for 0; NULL: any */
    const char *help;    /* NULL: another name of the row before */
};

enum { OPT_REFUSED = 0, OPT_LETTER = -1 };
struct opt_reader {
    const struct opt *table; /* ends with name == NULL; of rows with one name the first counts */
    unsigned scope;          /* rows that have a bit of it are known */
    void *target;            /* the struct that offsets are of */
    /* Called for every argument that is not in the table, with what follows it; returns how many
     * arguments it took (>= 1), OPT_LETTER when it took the first letter of several that stand together,
     * or OPT_REFUSED with err set. */
    int (*unknown)(void *ctx, int argc, char **argv, struct err *err);
    void (*seen)(void *ctx, const struct opt *o); /* called after an option was set; may be NULL */
    void *ctx;
};

/* Parses argv[0..argc). "--" ends the options: it and the rest go to unknown one by one. Writes into
 * the strings of letters that stand together. */
bool opt_parse(const struct opt_reader *r, int argc, char **argv, struct err *err);
/* The row with this name, or NULL. */
const struct opt *opt_find(const struct opt *table, unsigned scope, struct str name);
/* One option's value, as text; what names it in messages ("--workers"). A flag takes "", and words for
 * yes and no. The text must live as long as the target. */
bool opt_set(const struct opt *o, void *target, const char *what, const char *value, struct err *err);
/* Is it one of "a|b|c"? */
bool opt_has_word(const char *words, struct str word);
/* Splits off the first of "a|b|c"; false at the end. */
bool opt_next_word(const char **words, struct str *word);

#endif
