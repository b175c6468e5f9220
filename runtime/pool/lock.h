/* Locks in the state directory, held until the descriptor is closed. */
#ifndef FASTEST_POOL_LOCK_H
#define FASTEST_POOL_LOCK_H

#include "runtime/base/err.h"
#include "runtime/base/str.h"

#include <sys/types.h>

/* pool.lock, with our pid in it. A pool that holds it and cannot be reached is ended. -1 with err. */
int lock_pool(struct str state_dir, struct err *err);
/* The pid of the pool that holds pool.lock; 0 when none does. */
pid_t lock_holder(struct str state_dir);
/* start.lock: one process at a time starts a pool. -1 with err. */
int lock_start(struct str state_dir, struct err *err);

#endif
