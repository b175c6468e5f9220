/* Imports to files: which first-party files an import may load.
 *
 * The roots are one list for the whole scan: the probe's sys.path, pythonpath, and (unless the
 * import mode is importlib) the base directory of every module and conftest, since pytest's prepend
 * mode puts them all on one sys.path. All candidates over all roots count, so that what shadows
 * what cannot be missed; within one directory Python's own order holds (package, extension, .py,
 * namespace: importlib's FileFinder). Nothing is remembered between scans, so that a new file which
 * shadows, or one that was missing, is noticed.
 *
 * resolver_add a module, conftest or plugin; then resolver_run follows imports until nothing is new. */
#ifndef FASTEST_GENERATOR_RESOLVE_H
#define FASTEST_GENERATOR_RESOLVE_H

#include "generator/files/dirs.h"
#include "generator/graph/graph.h"
#include "generator/graph/source.h"

struct resolver {
    struct graph *graph;
    struct dirs *dirs;
    struct sources *sources;
    struct strs roots;             /* in order, without duplicates */
    struct map editable;           /* name → struct str *: package directory or file */
    struct str root;               /* rootdir: bounds the search for changed sys.path */
    struct map memo;               /* dotted name → struct place * */
    struct map root_set;
    uint32_t *queue;
    size_t n_queue, cap_queue;
    struct unresolved { uint32_t node; struct str name; } *unresolved;
    size_t n_unresolved, cap_unresolved;
    uint32_t flags;                /* of all files so far */
    struct arena arena;
};

void resolver_root(struct resolver *r, struct str dir);
/* First directory upward from dir that is no package: what pytest's prepend mode inserts. */
struct str resolver_basedir(struct resolver *r, struct str dir);
/* The node of a file, queued for its imports. path must outlive the resolver. */
uint32_t resolver_add(struct resolver *r, struct str path);
/* An edge from node to every file that `import name` may load (for -p and the like). */
void resolver_name(struct resolver *r, uint32_t node, struct str name);
void resolver_run(struct resolver *r);
void resolver_release(struct resolver *r);

#endif
