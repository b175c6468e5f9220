#include "runtime/base/thread.h"

bool thread_start(pthread_t *id, void *(*run)(void *ctx), void *ctx)
{
    return pthread_create(id, NULL, run, ctx) == 0;
}
