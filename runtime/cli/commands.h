/* The subcommands: each gets the arguments after its name and returns the exit code. */
#ifndef FASTEST_CLI_COMMANDS_H
#define FASTEST_CLI_COMMANDS_H

#include "runtime/base/err.h"

/* True when the code is final; false with err set makes main print it and exit with *code. */
typedef bool command_fn(int argc, char **argv, enum exit_code *code, struct err *err);

command_fn command_run;     /* scan, ninja, summary */
command_fn command_init;    /* build.ninja for `ninja test` */
command_fn command_scan;    /* the scan edge */
command_fn command_batch;   /* a batch edge */
command_fn command_summary; /* the summary edge */
command_fn command_pool;    /* the daemon; status, stop */
command_fn command_discover;/* the tests, from the sources alone */
command_fn command_cache;   /* of what the parser found: stats, clear, dump */
command_fn command_affected;/* the tests that a change touches */
command_fn command_why;     /* why a module would run, or would not */
command_fn command_graph;   /* what imports what */
command_fn command_report;  /* the last run, again, in other forms */
command_fn command_audit;   /* clean modules run again: the same results? */

#endif
