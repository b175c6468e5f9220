/* --help, from the table. */
#ifndef FASTEST_CLI_HELP_H
#define FASTEST_CLI_HELP_H

struct command;

/* Prints what a command does and its options, as wide as the terminal; NULL: all commands, and the options of a run. */
void help_print(const struct command *c);

#endif
