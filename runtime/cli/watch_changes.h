/* What watch knows of the tree: which directories it watches, what has changed in them, and whether that matters. */
#ifndef FASTEST_CLI_WATCH_CHANGES_H
#define FASTEST_CLI_WATCH_CHANGES_H

#include "generator/graph/plan.h"
#include "runtime/base/map.h"
#include "runtime/cli/notify.h"

struct changes {
    struct notify *notify;
    struct map dirs;     /* that are watched */
    struct strs paths;   /* that have changed; each once */
    struct map seen;     /* the same; 1: its writer is at it still */
    struct map repeated; /* path → in how many runs, one after the other, it has changed while they ran */
    struct map keys;     /* module → its key in the last run, a struct hash128 */
    bool lost;           /* the system has dropped events */
    size_t n_dirs;
    struct arena arena;
};

/* Watches root and what is below it but for hidden directories, caches and virtual environments. False with err. */
bool changes_open(struct changes *c, struct str root, struct err *err);
void changes_close(struct changes *c);
/* Waits until there are changes, or something to read from fd (-1: none), or a signal; true for changes. What comes in
 * a burst (an editor's renames, a checkout) is one. */
bool changes_wait(struct changes *c, int fd);
/* After a run: changes that came while it ran are taken in; what changes in each run alone starts none. True when there
 * is something left that may. */
bool changes_during_run(struct changes *c);
/* Forgets them; while: they came while nothing ran. */
void changes_taken(struct changes *c);
/* Is there a module that these changes concern? Also watches the directories of the plan's sources, and notes its keys. */
bool changes_concern(struct changes *c, const struct plan *plan);

#endif
