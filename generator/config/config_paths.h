/* What pytest's arguments and testpaths name. */
#ifndef FASTEST_GENERATOR_CONFIG_PATHS_H
#define FASTEST_GENERATOR_CONFIG_PATHS_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

/* Python's sorted(glob.iglob(pattern, recursive=True)) in cwd: appends the names, in the arena. */
void config_glob(struct str pattern, struct str cwd, struct arena *a, struct strs *out);
/* --pyargs: the file or directory of a module that is found in one of the directories of path, or
 * the name itself. */
struct str config_pyarg(struct str name, const struct strs *path, struct arena *a);

#endif
