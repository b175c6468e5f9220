/* What of the environment makes an interpreter behave differently. */
#ifndef FASTEST_PROC_ENVIRON_H
#define FASTEST_PROC_ENVIRON_H

#include <stdint.h>

/* Hash of the sorted environment, without what shells, make and ninja change from call to call. */
uint64_t environ_hash(void);

#endif
