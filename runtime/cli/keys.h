/* Single keys from the terminal, while nothing runs: in between it is as the user has it. */
#ifndef FASTEST_CLI_KEYS_H
#define FASTEST_CLI_KEYS_H

#include "runtime/base/buf.h"

#include <termios.h>

struct keys {
    bool terminal; /* input is one */
    bool raw;
    struct termios cooked;
};

void keys_open(struct keys *k);
/* Keys come one by one and unseen; Ctrl-C stays a signal. */
void keys_raw(struct keys *k);
void keys_cooked(struct keys *k);
/* The next key that is there, 0: none, -1: the terminal is gone. */
int keys_next(struct keys *k);
/* Asks for a line, in cooked mode. False at the end of input. */
bool keys_line(struct keys *k, const char *prompt, struct buf *line);

#endif
