/* <state>/needs: what tests were found to need (runtime/worker/needs.py reads it), and <state>/imports. */
#ifndef FASTEST_BATCH_NEEDS_H
#define FASTEST_BATCH_NEEDS_H

#include "runtime/base/arena.h"
#include "runtime/base/err.h"
#include "runtime/base/str.h"

/* The line "kind TAB test [TAB what]", instead of one of the same kind and test; kind NULL: none of the test. */
bool needs_set(struct str state_dir, const char *kind, struct str test, struct str what, struct err *err);
bool needs_has(struct str state_dir, const char *kind, struct str test);
/* Names of modules in the order in which they were first loaded, each once; they live in a. */
void needs_imports(struct str state_dir, struct strs *names, struct arena *a);

#endif
