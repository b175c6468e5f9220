/* Marks of tests: from decorators and pytestmark, along classes and modules (pytest 7.0 to 9.2,
 * src/_pytest/mark/structures.py: get_unpacked_marks, store_mark; src/_pytest/skipping.py). */
#ifndef FASTEST_GENERATOR_MARKS_H
#define FASTEST_GENERATOR_MARKS_H

#include "generator/collect/tests.h"
#include "generator/eval/classes.h"

struct mark_list {
    struct value *items;
    uint32_t n;
    size_t cap;
    const char *doubt;
};

void marks_add(struct mark_list *l, const struct value *mark);
/* What a function's decorators do to it. */
struct decoration {
    struct mark_list *marks;   /* appended, nearest to the function first */
    bool fixture, property;    /* it is no test */
    bool is_static, is_class;
    uint32_t n_mocks;          /* arguments that mock.patch fills */
    bool wrapped;              /* what pytest sees is no generator function */
    struct strs given;         /* arguments that hypothesis fills */
    uint32_t given_last;       /* positional ones: the last of the function's */
    const char *doubt;
};
void decoration_read(struct world *w, struct binding *def, struct decoration *d);
/* pytestmark of a module or class body. */
void marks_of_scope(struct world *w, struct scope *s, struct mark_list *l);
/* Those of a class with its bases, as its own_markers has them. */
void marks_of_class(struct world *w, struct class_info *c, struct mark_list *l);
/* Certain skips: skip, and skipif on what can be evaluated. */
struct test_skip marks_skip(const struct value *marks, uint32_t n);

#endif
