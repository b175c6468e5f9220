/* The one part of stat(2) whose names differ between systems. */
#ifndef FASTEST_BASE_STAT_H
#define FASTEST_BASE_STAT_H

#include <stdint.h>

struct stat;
int64_t stat_mtime_ns(const struct stat *st);
int64_t stat_ctime_ns(const struct stat *st);
/* When what is at path was made; 0 when the system does not say. */
int64_t stat_birth_ns(const char *path);
/* Times of files are those of a clock that moves in such steps; 0: in steps too small to matter. */
int64_t stat_tick_ns(void);

#endif
