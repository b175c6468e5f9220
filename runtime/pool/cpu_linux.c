#include "runtime/pool/state.h"

#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint32_t cpu_count(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n > 0 ? (uint32_t)n : 1;
}

long cpu_ticks_per_second(void)
{
    long hz = sysconf(_SC_CLK_TCK);
    return hz > 0 ? hz : 100;
}

bool cpu_ticks_of(pid_t pid, uint64_t *ticks)
{
    char path[64];
    struct buf b = {0};
    uint64_t t[4] = {0};
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    bool ok = io_read(path, 0, &b, NULL);
    const char *after = ok && b.p ? strrchr(b.p, ')') : NULL; /* the name may hold anything */
    ok = after && sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64
                         " %" SCNu64 " %" SCNu64, &t[0], &t[1], &t[2], &t[3]) == 4;
    buf_release(&b);
    *ticks = t[0] + t[1] + t[2] + t[3];
    return ok;
}

bool cpu_resident_bytes(pid_t pid, uint64_t *bytes)
{
    char path[64];
    struct buf b = {0};
    unsigned long resident = 0;
    snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
    bool ok = io_read(path, 0, &b, NULL) && b.p && sscanf(b.p, "%*u %lu", &resident) == 1;
    buf_release(&b);
    *bytes = (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
    return ok;
}

bool cpu_is_stopped(pid_t pid)
{
    char path[64];
    struct buf b = {0};
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    const char *after = io_read(path, 0, &b, NULL) && b.p ? strrchr(b.p, ')') : NULL;
    bool stopped = after && strncmp(after, ") T", 3) == 0;
    buf_release(&b);
    return stopped;
}

bool cpu_idle_ticks(uint64_t *ticks, uint32_t *cpus)
{
    struct buf b = {0};
    uint64_t idle = 0, iowait = 0;
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    bool ok = io_read("/proc/stat", 0, &b, NULL) && b.p &&
              sscanf(b.p, "cpu %*u %*u %*u %" SCNu64 " %" SCNu64, &idle, &iowait) == 2;
    buf_release(&b);
    *ticks = idle + iowait;
    *cpus = n > 0 ? (uint32_t)n : 1;
    return ok;
}

int stack_signal(void)
{
    return SIGRTMAX;
}
