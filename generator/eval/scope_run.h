/* Between scope.c (statements), scope_import.c (imports and what they bind) and scope_ends.c (what ends a module). */
#ifndef FASTEST_GENERATOR_SCOPE_RUN_H
#define FASTEST_GENERATOR_SCOPE_RUN_H

#include "generator/eval/scope.h"

enum outcome { GOES_ON = SCOPE_GOES_ON, MAY_STOP = SCOPE_MAY_STOP, STOPS = SCOPE_STOPS };

/* One run over a scope's statements. */
struct runner {
    struct world *w;
    struct scope *s;
    bool maybe;
    uint32_t line;       /* of the statement */
    bool import_fails;   /* a certain ImportError was met */
    bool handling;       /* in a handler that is run because of one */
    bool may_skip;       /* a module was imported that may skip this one */
    struct module *skipped; /* or one that does */
};

void runner_doubt(struct runner *x, const char *why);
struct binding *runner_bind(struct runner *x, struct str name, enum binding_kind kind);
/* "import a.b as c, d" and "from .a import b as c, d" or "*". */
void runner_import(struct runner *x, struct str text);
void runner_from(struct runner *x, struct str text);
/* A call or a raise statement (scope_ends.c): does it end the module? */
enum outcome runner_call(struct runner *x, const struct stmt *st, struct str callee, struct str args);
enum outcome runner_raise(struct runner *x, const struct stmt *st);
bool runner_may_end(const struct runner *x, struct str callee);

#endif
