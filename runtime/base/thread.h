/* A thread that runs at once, on another processor where there is one.
 *
 * Linux may put a new thread on the processor of the thread that makes it, where it waits until that one's time is
 * over: up to 4 ms were measured, on two idle processors, which is as long as a small discovery takes. */
#ifndef FASTEST_RUNTIME_BASE_THREAD_H
#define FASTEST_RUNTIME_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* False when there can be no more threads. The caller joins it. */
bool thread_start(pthread_t *id, void *(*run)(void *ctx), void *ctx);

#endif
