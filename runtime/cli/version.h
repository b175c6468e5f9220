/* --version: this program, and every library and program that it uses, as they are found here. */
#ifndef FASTEST_CLI_VERSION_H
#define FASTEST_CLI_VERSION_H

struct cli;

void version_print(struct cli *c);

#endif
