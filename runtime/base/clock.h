/* Time. Wall clock for records and mtimes, monotonic clock for deadlines and durations. */
#ifndef FASTEST_BASE_CLOCK_H
#define FASTEST_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ns(void);
int64_t clock_mono_ns(void);
int clock_poll_ms(int64_t deadline_mono_ns); /* time left for poll(2): -1 for deadline 0, never < -1 */

#endif
