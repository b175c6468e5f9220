#include "runtime/cli/commands.h"
#include "runtime/cli/options.h"

#include <stdio.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static const struct command {
    const char *name;
    command_fn *run;
} commands[] = {
    {"run", command_run},         {"init", command_init},       {"scan", command_scan},
    {"batch", command_batch},     {"summary", command_summary}, {"pool", command_pool},
    {"discover", command_discover}, {"cache", command_cache},
    {"affected", command_affected}, {"why", command_why},    {"audit", command_audit},
    {"graph", command_graph},     {"report", command_report},
};

int main(int argc, char **argv)
{
#ifdef __GLIBC__
    mallopt(M_TOP_PAD, 1 << 20); /* bytes: a system call a MiB, not one in 128 KiB */
#endif
    command_fn *run = command_run;
    int skip = 1;
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            run = commands[i].run;
            skip = 2;
        }
    }
    struct err err = {0};
    enum exit_code code = EXIT_INTERNAL;
    if (!run(argc - skip, argv + skip, &code, &err))
        fprintf(stderr, "fastest: %s\n", err.msg);
    return (int)code;
}
