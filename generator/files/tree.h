/* Walks below a directory, without what is not ours: hidden directories, virtual environments,
 * node_modules, caches, site directories. Bounded in depth; links to directories are not followed. */
#ifndef FASTEST_GENERATOR_TREE_H
#define FASTEST_GENERATOR_TREE_H

#include "generator/files/dirs.h"

/* Appends every .py file below top, top's own first; views live in d's arena. */
void tree_python_files(struct dirs *d, struct str top, struct strs *out);
/* The same of all files. */
void tree_files(struct dirs *d, struct str top, struct strs *out);
/* Appends top and every directory below it that holds something. */
void tree_directories(struct dirs *d, struct str top, struct strs *out);
/* True for a virtual environment (pyvenv.cfg, conda-meta/history). */
bool tree_is_venv(struct dirs *d, const struct dir *dir);

#endif
