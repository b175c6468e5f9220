/* Numbers with units, as options and [tool.fastest] have them. */
#ifndef FASTEST_BASE_UNITS_H
#define FASTEST_BASE_UNITS_H

#include "runtime/base/str.h"

#include <stdint.h>

/* "90", "1.5s", "200ms", "2m", "1h": seconds without a unit. False when it is none, or too much for the result. */
bool units_duration_ms(struct str text, uint32_t *ms);
/* "500M", "1.5G", "64k", "1048576": bytes without a unit; k, M and G are powers of 1,024, a B may follow. */
bool units_size_bytes(struct str text, uint64_t *bytes);

#endif
