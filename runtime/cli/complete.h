/* What could stand at the end of a command line: the shells' completion asks `fastest complete`, so that the scripts
 * (completion.c) know nothing of commands and options. */
#ifndef FASTEST_CLI_COMPLETE_H
#define FASTEST_CLI_COMPLETE_H

#include "runtime/base/buf.h"

/* words: those behind the program's name; the last one, which may be "", is to be completed. Appends one candidate a
 * line, with a tab and a description where there is one; the lines ":files" and ":dirs" stand for the shell's own
 * completion of paths. tests: lists the node ids of a file, as `fastest discover` does, one a line. */
void complete(int n, char **words, void (*tests)(void *ctx, const char *path, struct buf *ids), void *ctx,
              struct buf *out);

#endif
