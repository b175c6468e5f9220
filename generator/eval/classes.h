/* Classes as pytest sees them: bases, method resolution order, what makes one a test class or none. */
#ifndef FASTEST_GENERATOR_CLASSES_H
#define FASTEST_GENERATOR_CLASSES_H

#include "generator/eval/module.h"

enum { CLASS_MAX_MRO = 64 };

struct class_info {
    struct binding *class;
    struct scope *scope;        /* its own body */
    struct class_info **mro;    /* itself first; classes whose source is known */
    uint32_t n_mro;
    const char *doubt;          /* NULL, or why its members or its being collected is not known */
    bool bases_known;           /* all of them are followed: what instances are is known */
    bool unittest;              /* a unittest.TestCase */
    bool async_case;            /* unittest.IsolatedAsyncioTestCase */
    bool value_base;            /* a base is a builtin or an enumeration: instances have ids of their own */
    bool makes_init;            /* it has an __init__ or __new__ of its own: pytest collects nothing */
    bool abstract;              /* its metaclass is ABCMeta */
};

/* NULL for what is no class. */
struct class_info *class_of(struct world *w, struct binding *class);
/* inspect.isabstract(class). */
bool class_is_abstract(struct world *w, struct class_info *c);
/* The first binding of that name along the MRO. */
struct binding *class_member(const struct class_info *c, struct str name);
/* getattr(class, "__test__", True): 1, 0, or -1. *set (may be NULL): is there such an attribute? */
int class_test_attr(struct world *w, const struct class_info *c, bool *set);

#endif
