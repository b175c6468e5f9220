/* The table of commands and the table of options: parsing, --help, the manual, completion, the configuration and
 * their tests come from these two.
 *
 * To add an option: a field in struct cli (options.h), a row in cli_options (table.c).
 * To add a command: a bit here, its function in commands.h, a row in cli_commands. */
#ifndef FASTEST_CLI_TABLE_H
#define FASTEST_CLI_TABLE_H

#include "runtime/base/opt.h"
#include "runtime/cli/commands.h"

/* Where an option is known. What is known to `run` every command takes that takes pytest's options. */
enum known_to {
    FOR_RUN = 1u << 0,
    FOR_INIT = 1u << 1,
    FOR_DISCOVER = 1u << 2,
    FOR_WHY = 1u << 3,
    FOR_AFFECTED = 1u << 4,
    FOR_AUDIT = 1u << 5,
    FOR_CACHE = 1u << 6,
    FOR_POOL = 1u << 7,
    FOR_HELP = 1u << 8,
    FOR_SCAN = 1u << 9,
    FOR_BATCH = 1u << 10,
    FOR_SUMMARY = 1u << 11,
    FOR_CONFIG_COMMAND = 1u << 12,
    FOR_COMPLETION = 1u << 13,
    FOR_COMPLETE = 1u << 14,
    FOR_MAN = 1u << 15,
    FOR_WATCH = 1u << 16,
    FOR_DOCTOR = 1u << 17,
    FOR_HISTORY = 1u << 18,
    FOR_ALL = (1u << 29) - 1,
    FOR_PYTEST = 1u << 29, /* pytest has it, too: what its addopts say counts */
    FOR_CONFIG = 1u << 30 /* also a key of [tool.fastest], and FASTEST_NAME in the environment */
};

enum takes {
    TAKES_NOTHING,
    TAKES_TESTS, /* paths and node ids, which go to pytest in order with its options */
    TAKES_FILES, /* paths or node ids that the command is about */
    TAKES_WORD,  /* one of words */
    TAKES_RAW    /* anything, as it is, were it to look like an option; --help alone is one */
};

struct command {
    const char *name;
    enum known_to scope;
    command_fn *run;
    enum takes takes;
    bool pytest;         /* pytest's options and those of `run` are taken, too */
    bool hidden;         /* Ninja's edges, and what other programs call */
    const char *words;   /* "stats|clear|dump" */
    const char *args;    /* in the usage, after the options */
    const char *summary; /* a line in the list of commands */
    const char *text;    /* what --help says below the usage; a blank line ends a paragraph */
};

extern const struct command cli_commands[]; /* ends with name == NULL; the first one is `run` */
extern const struct opt cli_options[];      /* ends with name == NULL */

/* The row, or NULL. */
const struct command *command_find(const char *name);
/* The options that this command knows. */
unsigned command_scope(const struct command *c);

#endif
