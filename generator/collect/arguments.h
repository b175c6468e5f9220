/* Which argument of the command line names a file or a test, and in which order (pytest 7.0 to 9.2,
 * src/_pytest/main.py: Session.collect, normalize_collection_arguments).
 *
 * struct arguments a = {0}; arguments_init(&a, &config); i = arguments_of_test(&a, …); arguments_release(&a) */
#ifndef FASTEST_GENERATOR_ARGUMENTS_H
#define FASTEST_GENERATOR_ARGUMENTS_H

#include "generator/config/config.h"
#include "runtime/base/map.h"

struct arguments {
    const struct config *config;
    bool nodes;         /* there are node ids among them */
    bool *dropped;      /* another one holds all that this one names */
    size_t *next;       /* the next of the same path + 1 */
    struct map paths;   /* path → the first + 1 */
};

void arguments_init(struct arguments *a, const struct config *c);
void arguments_release(struct arguments *a);
/* The first that names the file or a directory around it; the number of arguments when none does. */
size_t arguments_of_file(const struct arguments *a, struct str path);
/* The first that names the test, whose id goes on with `rest` after the file ("Class::test[x]", "" for the module
 * itself). One in doubt is named by what may be one of its tests, too. */
size_t arguments_of_test(const struct arguments *a, struct str path, struct str rest, bool doubtful);
/* Before pytest 9 arguments that name the same tests twice leave some out (Session.genitems). */
bool arguments_overlap(const struct config *c);

#endif
