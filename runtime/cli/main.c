#include "runtime/cli/help.h"
#include "runtime/cli/options.h"
#include "runtime/cli/table.h"
#include "runtime/cli/version.h"

#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

int main(int argc, char **argv)
{
#ifdef __GLIBC__
    mallopt(M_TOP_PAD, 1 << 20); /* bytes: a system call a MiB, not one in 128 KiB */
#endif
    struct cli c = {0};
    struct err err = {0};
    enum exit_code code = EXIT_USAGE;
    const struct command *named = argc > 1 ? command_find(argv[1]) : NULL;
    int skip = named ? 2 : 1;
    bool ok = cli_parse(&c, named ? named : &cli_commands[0], argc - skip, argv + skip, &err);
    ok = ok && (named || argc < 2 || cli_check_first(&c, argv[1], &err));
    if (ok && c.help) {
        help_print(named);
        code = EXIT_PASSED;
    } else if (ok && c.version) {
        version_print(&c);
        code = EXIT_PASSED;
    } else if (ok) {
        ok = c.command->run(&c, &code, &err);
    }
    if (!ok)
        fprintf(stderr, "fastest: %s\n", err.msg);
    cli_release(&c);
    return (int)code;
}
