/* Between tests.c (modules, classes) and tests_function.c (functions and their ids). */
#ifndef FASTEST_GENERATOR_TESTS_COLLECT_H
#define FASTEST_GENERATOR_TESTS_COLLECT_H

#include "generator/collect/marks.h"
#include "generator/collect/tests.h"

enum { MAX_NESTING = 16, MAX_CHAIN = 96 };

/* The collection of one module. */
struct collector {
    struct world *w;
    const struct tests_options *o;
    struct module *m;
    void (*add)(void *ctx, const struct test *t);
    void *ctx;
    struct fixture_chain chain;      /* conftests, module, classes */
    struct class_info *classes[MAX_NESTING];
    struct str class_names[MAX_NESTING];
    uint32_t n_classes;
    struct mark_list module_marks;
    struct binding *generate[MAX_CHAIN];    /* pytest_generate_tests that apply */
    uint32_t n_generate;
    bool has_autouse;                /* anywhere in the chain */
    struct ids_config ids;
};

/* path::Class::name, or without a name the class or module that is being collected. */
struct str collector_id(struct collector *x, struct str name, struct str id, bool parametrized);
struct str collector_class(struct collector *x);
/* A name as the interpreter knows it, after NFKC; what is not covered stays. */
struct str collector_normalize(struct world *w, struct str name);
/* NFKC leaves the name as it is, certainly. */
bool collector_is_normal(struct str name);
/* A function, class or module that is listed without its ids. */
void collector_doubtful(struct collector *x, struct str name, uint32_t line, const char *why, bool error);
/* def or lambda `header`, bound as b; def: where its decorators are, NULL for a lambda. */
void collector_function(struct collector *x, struct str name, struct binding *b, struct binding *def,
                        struct str header, uint32_t line);
/* A method of a unittest.TestCase: marks count, parameters do not. */
void collector_method(struct collector *x, struct class_info *c, struct str name, struct binding *b,
                      struct binding *def);

#endif
