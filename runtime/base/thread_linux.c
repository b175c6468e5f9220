#include "runtime/base/thread.h"

#include <sched.h>

/* The other processors that this thread may use; false when there are none, or more than a set holds. */
static bool others(cpu_set_t *all, cpu_set_t *rest)
{
    int here = sched_getcpu();
    if (here < 0 || sched_getaffinity(0, sizeof *all, all) != 0)
        return false;
    *rest = *all;
    CPU_CLR(here, rest);
    return CPU_COUNT(rest) > 0;
}

bool thread_start(pthread_t *id, void *(*run)(void *ctx), void *ctx)
{
    cpu_set_t all, rest;
    pthread_attr_t attr;
    if (!others(&all, &rest) || pthread_attr_init(&attr) != 0)
        return pthread_create(id, NULL, run, ctx) == 0;
    bool ok = pthread_attr_setaffinity_np(&attr, sizeof rest, &rest) == 0 && pthread_create(id, &attr, run, ctx) == 0;
    pthread_attr_destroy(&attr);
    if (!ok)
        return pthread_create(id, NULL, run, ctx) == 0;
    pthread_setaffinity_np(*id, sizeof all, &all); /* it only had to begin elsewhere */
    return true;
}
