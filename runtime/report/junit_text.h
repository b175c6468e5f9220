/* What pytest does to text before it goes into JUnit XML (pytest 9.2, _pytest/junitxml.py). */
#ifndef FASTEST_REPORT_JUNIT_TEXT_H
#define FASTEST_REPORT_JUNIT_TEXT_H

#include "runtime/report/model.h"

/* bin_xml_escape: what XML cannot hold becomes visible, like #x07 or #xDCFF. Appends; the result
 * is valid UTF-8. */
void junit_escape(struct buf *out, struct str s);
/* shorten_message: whole lines within 500 characters, then a note of what was left out. */
void junit_shorten(struct buf *out, struct str message);
/* mangle_test_address: "tests/test_a.py::TestX::test[p]" is classname "tests.test_a.TestX" (after
 * prefix and a dot, when prefix.p is set) and name "test[p]". */
void junit_names(struct str id, struct str prefix, struct buf *classname, struct buf *name);
/* capstdout, capstderr, caplog: the sections whose title starts so, joined. */
void junit_captured(struct buf *out, const struct report_phase *p, struct str title,
                    struct str separator);

/* Appends what nearly every testcase is, as libxml2 would write it: an element without content, its attributes in plain
 * ASCII. False, with nothing appended, for another one. file: a null string for none; line: below 0 for none. */
bool junit_bare_testcase(struct buf *out, struct str classname, struct str name, struct str file, int64_t line, double seconds);

#endif
