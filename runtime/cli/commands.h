/* The commands: each gets its parsed command line and gives the exit code. The table of them is table.c. */
#ifndef FASTEST_CLI_COMMANDS_H
#define FASTEST_CLI_COMMANDS_H

#include "runtime/base/err.h"

struct cli;

/* True when *code is final; false with err set makes main print it and exit with *code, which is EXIT_USAGE
 * when the command is called. */
typedef bool command_fn(struct cli *c, enum exit_code *code, struct err *err);

command_fn command_run;
command_fn command_init;
command_fn command_scan;
command_fn command_batch;
command_fn command_summary;
command_fn command_pool;
command_fn command_discover;
/* For --collect-only: lists the tests when every id is certain; else *served is false, and nothing was printed. */
bool discover_serve(struct cli *c, bool *served, enum exit_code *code, struct err *err);
command_fn command_cache;
command_fn command_affected;
command_fn command_why;
command_fn command_audit;
command_fn command_watch;
command_fn command_history;
command_fn command_doctor;
command_fn command_config;
command_fn command_help;
command_fn command_completion;
command_fn command_complete;
command_fn command_man;

#endif
