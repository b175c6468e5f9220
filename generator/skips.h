/* Modules whose tests are all certain to be skipped: they get their results here, and no worker starts for them.
 *
 * Three conditions hold for each (DESIGN section 4). Its ids are exact and every one of its tests is skipped by a
 * mark whose condition is known, or the module itself by pytest.skip(…, allow_module_level=True). No hook could
 * decide otherwise: its conftests have none, and no plugin but pytest's own and those that leave skips alone is
 * there. And its import is clean: clean.h says so of it, of its conftests and of the packages around it, and the
 * interpreter compiles each of them without a warning. What fails a condition runs as any other module does.
 *
 * The results are those of pytest 8.0 to 9.2 (src/_pytest/skipping.py: pytest_runtest_setup; reports.py:
 * TestReport.from_item_and_call); with an older one nothing is folded. */
#ifndef FASTEST_GENERATOR_SKIPS_H
#define FASTEST_GENERATOR_SKIPS_H

#include "generator/generate.h"

/* Of the candidates (one for each of the plan's modules), writes the records of those for which all of this
 * holds, and makes them fresh (not stale). Whatever goes wrong leaves a module as it is. */
void skips_fold(struct plan *p, const struct generate_options *o, const bool *candidates);

#endif
