/* Fixtures that a test requests, as far as they change its id: parametrized ones, and who requests whom.
 *
 * pytest 7.0 to 9.2, src/_pytest/fixtures.py (FixtureManager.parsefactories, getfixtureclosure). */
#ifndef FASTEST_GENERATOR_FIXTURES_H
#define FASTEST_GENERATOR_FIXTURES_H

#include "generator/eval/classes.h"

enum fixture_scope { SCOPE_FUNCTION, SCOPE_CLASS, SCOPE_MODULE, SCOPE_PACKAGE, SCOPE_SESSION };

struct fixture {
    struct str name;
    struct binding *def;
    enum fixture_scope scope;
    bool autouse, has_params, has_ids;
    struct value params, ids;
    const struct str *args;
    uint32_t n_args;
    const char *doubt;      /* its arguments or its parameters are not known */
};
struct fixture_list {
    struct fixture *items;
    uint32_t n;
    int8_t hides;           /* values may be fixtures with names of their own: 0 not asked for, 1 yes, 2 no */
};

/* The parameters of a function: those that pytest takes for fixtures. drop: how many first ones not to
 * count (self). False when the header cannot be read. */
bool fixture_arguments(struct world *w, struct str header, uint32_t drop, struct str **args, uint32_t *n);
/* The fixtures that a module or class body defines or imports by name, sorted by name. */
struct fixture_list *fixtures_of(struct world *w, struct scope *s);
/* The one of that name, or NULL. */
struct fixture *fixture_find(struct world *w, struct scope *s, struct str name);

/* Where a test looks for fixtures: from far (plugins, conftests) to near (its class). */
struct fixture_chain {
    struct scope *scopes[96];
    uint32_t n;
};
struct fixture_closure {
    struct str names[256];
    const struct fixture *defs[256]; /* the parametrized one or the nearest; NULL when there is none */
    uint32_t n;
    const char *doubt;
};
/* All fixtures that these names lead to, in pytest's order. ignore: argnames of direct parametrization. */
void fixture_closure(struct world *w, const struct fixture_chain *chain, const struct str *initial,
                     uint32_t n_initial, const struct strs *ignore, struct fixture_closure *out);

#endif
