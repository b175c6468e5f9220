#include "runtime/pool/state.h"

#include <signal.h>
#include <unistd.h>

uint32_t cpu_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (uint32_t)n : 1;
}

long cpu_ticks_per_second(void)
{
    return 100;
}

/* Not measured here: the number of workers stays that of the CPUs. */
bool cpu_ticks_of(pid_t pid, uint64_t *ticks)
{
    (void)pid;
    *ticks = 0;
    return false;
}

bool cpu_resident_bytes(pid_t pid, uint64_t *bytes)
{
    (void)pid;
    *bytes = 0;
    return false;
}

bool cpu_is_stopped(pid_t pid)
{
    (void)pid;
    return false;
}

bool cpu_idle_ticks(uint64_t *ticks, uint32_t *cpus)
{
    *ticks = 0;
    *cpus = 1;
    return false;
}

int stack_signal(void)
{
    return SIGINFO;
}
