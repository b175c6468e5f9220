/* The Ninja files of a plan; the only place that escapes for Ninja (and for sh inside its rules).
 *
 * Ninja runs in rootdir: paths below it are written relative, others absolute. A path with a line
 * break, NUL or '|' cannot be written in a Ninja file: it is left out, the scan's keys cover it.
 * Every function replaces its file only when the content differs. */
#ifndef FASTEST_GENERATOR_EMIT_NINJA_H
#define FASTEST_GENERATOR_EMIT_NINJA_H

#include "generator/generate.h"
#include "generator/graph/graph.h"
#include "generator/graph/plan.h"

/* <state>/graph.ninja; nodes[i] is the graph node of module i, weights[i] its number of tests. */
bool emit_graph(const struct plan *plan, const struct graph *g, const uint32_t *nodes,
                const uint32_t *weights, struct err *err);
/* <state>/rules.ninja. The scan's arguments and directory are set when `init` is set or when there
 * is no such file, else kept. */
bool emit_rules(const struct generate_options *o, struct str root, struct str state_dir, bool init,
                struct err *err);
/* <state>/build.ninja, for `fastest run`. */
bool emit_top(const struct plan *plan, struct err *err);
/* <root>/build.ninja when there is none; false with the lines to add when it is somebody else's.
 * Also an empty <state>/graph.ninja when there is none. */
bool emit_init(struct str root, struct str state_dir, struct err *err);

#endif
