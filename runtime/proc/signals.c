#include "runtime/proc/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { MAX_SIGNALS = 8 };
static volatile sig_atomic_t write_fd = -1; /* for the handler */
static struct { /* what signals_open has replaced */
    int sig;
    struct sigaction action;
} saved_actions[MAX_SIGNALS + 1];
static size_t n_saved;

static void handler(int sig)
{
    int saved = errno;
    unsigned char byte = (unsigned char)sig;
    if (write_fd >= 0 && write((int)write_fd, &byte, 1) < 0)
        byte = 0; /* a full pipe already wakes the loop */
    errno = saved;
}

static void replace(int sig, const struct sigaction *sa)
{
    saved_actions[n_saved].sig = sig;
    if (sigaction(sig, sa, &saved_actions[n_saved].action) == 0)
        n_saved++;
}

int signals_open(const int *signals, size_t n)
{
    int fds[2];
    if (pipe(fds) != 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(fds[i], F_SETFL, O_NONBLOCK);
    }
    write_fd = fds[1];
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = handler;
    n_saved = 0;
    for (size_t i = 0; i < n && i < MAX_SIGNALS; i++)
        replace(signals[i], &sa);
    sa.sa_handler = SIG_IGN;
    replace(SIGPIPE, &sa);
    return fds[0];
}

void signals_close(int fd)
{
    while (n_saved > 0) {
        n_saved--;
        sigaction(saved_actions[n_saved].sig, &saved_actions[n_saved].action, NULL);
    }
    int out = (int)write_fd;
    write_fd = -1;
    close(out);
    close(fd);
}

int signals_take(int fd)
{
    unsigned char byte;
    return read(fd, &byte, 1) == 1 ? byte : 0;
}

void signals_reset(void)
{
    struct sigaction sa;
    sigset_t none;
    memset(&sa, 0, sizeof sa);
    sigemptyset(&sa.sa_mask);
    sa.sa_handler = SIG_DFL;
    for (int sig = 1; sig < NSIG; sig++)
        sigaction(sig, &sa, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
