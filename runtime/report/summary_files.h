/* The documents of a run, put together from its parts piece by piece. */
#ifndef FASTEST_REPORT_SUMMARY_FILES_H
#define FASTEST_REPORT_SUMMARY_FILES_H

#include "runtime/report/json_report.h"
#include "runtime/report/junit.h"
#include "runtime/report/parts.h"

#include <stdio.h>

bool summary_write_junit(struct part_writer *parts, struct junit *junit, const struct junit_head *head,
                         const char *path, struct err *err);
bool summary_write_json(struct part_writer *parts, const struct json_head *head, const char *path, struct err *err);
/* Copies a whole file; to == NULL: nothing is wanted. */
bool summary_copy(const char *from, const char *to, struct err *err);
/* Prints one. */
bool summary_print(const char *from, FILE *out, struct err *err);

#endif
