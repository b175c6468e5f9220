/* <state>/reports.bin: which records the reports in the state directory were written for. */
#ifndef FASTEST_REPORT_FINGERPRINT_H
#define FASTEST_REPORT_FINGERPRINT_H

#include "generator/graph/plan.h"
#include "runtime/report/totals.h"

/* What the text of every part depends on: root, invocation directory, arguments. */
struct hash128 fingerprint_options(const struct plan *plan);
/* Identity of module i's part (parts.h). Zero when its record is gone. */
struct hash128 fingerprint_part(const struct plan *plan, uint32_t i, struct hash128 options);

/* True when nothing is stale and the reports were written for exactly these records, all cached,
 * and were not touched since. Then *totals is what they say, and *notes gets
 * their warnings (terminal.h). */
bool fingerprint_holds(const struct plan *plan, struct totals *totals, struct buf *notes);
/* Call it after the reports were written. Does nothing but remove the old stamp unless every
 * module was cached. */
bool fingerprint_save(const struct plan *plan, const struct totals *totals, struct str notes, struct err *err);

#endif
