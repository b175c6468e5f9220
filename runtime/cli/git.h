/* What changed since a git revision, read without a checkout: gitglossary(7)'s work tree against a commit. */
#ifndef FASTEST_CLI_GIT_H
#define FASTEST_CLI_GIT_H

#include "generator/affected.h"

/* The changes of the work tree that root is in, untracked files included, those that git ignores not. Texts live in
 * a. wanted: whether the old bytes of a path are worth reading. False with err, which says what to do. */
bool git_changes(const char *root, const char *revision, const struct generate_options *o,
                 bool (*wanted)(void *ctx, struct str path), void *ctx, struct arena *a, struct change **out, size_t *n,
                 struct err *err);

#endif
