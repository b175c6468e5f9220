#include "runtime/cli/keys.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

void keys_open(struct keys *k)
{
    *k = (struct keys){0};
    k->terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &k->cooked) == 0;
}

void keys_raw(struct keys *k)
{
    if (!k->terminal || k->raw)
        return;
    struct termios raw = k->cooked;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    k->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void keys_cooked(struct keys *k)
{
    if (k->raw)
        tcsetattr(STDIN_FILENO, TCSANOW, &k->cooked);
    k->raw = false;
}

int keys_next(struct keys *k)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    unsigned char c;
    if (!k->terminal || poll(&p, 1, 0) <= 0)
        return 0;
    ssize_t n = read(STDIN_FILENO, &c, 1);
    return n == 1 ? c : n < 0 && errno == EINTR ? 0 : -1;
}

bool keys_line(struct keys *k, const char *prompt, struct buf *line)
{
    char text[4096];
    keys_cooked(k);
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t n = read(STDIN_FILENO, text, sizeof text);
    buf_clear(line);
    if (n > 0)
        buf_str(line, str_trim((struct str){text, (size_t)n}));
    return n > 0;
}
