/* "Captured log" sections as records again, for the JSON report.
 *
 * pytest 9's default log_format (_pytest/logging.py):
 * "%(levelname)-8s %(name)s:%(filename)s:%(lineno)d %(message)s". */
#ifndef FASTEST_REPORT_LOG_H
#define FASTEST_REPORT_LOG_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

#include <stdint.h>

struct log_line {
    struct str level, logger, file; /* p == NULL when the line has another format */
    struct str message;             /* with the lines that follow and start no record */
    int64_t line;
};

/* Splits off the next record; its strings are NUL-terminated copies in a. False at the end. */
bool log_next(struct str *rest, struct arena *a, struct log_line *out);

#endif
