/* Limits of the system that watch and doctor care for. limits_linux.c, limits_darwin.c. */
#ifndef FASTEST_CLI_LIMITS_H
#define FASTEST_CLI_LIMITS_H

#include <stdint.h>

/* How many directories this user may watch; 0: no such limit. */
uint64_t limits_watches(void);

#endif
