/* What is left of a plan by --lf and the like (struct narrow of generate.h). */
#ifndef FASTEST_GENERATOR_NARROW_H
#define FASTEST_GENERATOR_NARROW_H

#include "generator/generate.h"

/* Leaves modules out, and puts them in order. How many of them come first by its wish. narrow may be NULL. */
uint32_t narrow_modules(const struct narrow *narrow, struct strs *modules);
/* The selection of a module (key.h): the run's, and its own ids where only some of it run. Lives in a. */
struct str narrow_selection(const struct narrow *narrow, struct str selection, struct str rel, struct arena *a);
/* plan->only and plan->first, in the plan's arena. */
void narrow_plan(const struct narrow *narrow, struct plan *plan);

#endif
