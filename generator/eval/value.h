/* Values of Python expressions, as far as a source gives them away.
 *
 * Values live in the arena that they were made in; views in them point there or into the source.
 * A value that cannot be known is VALUE_UNKNOWN: everything fails towards it, never to a guess. */
#ifndef FASTEST_GENERATOR_VALUE_H
#define FASTEST_GENERATOR_VALUE_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/str.h"

#include <stdint.h>

enum value_kind {
    VALUE_UNKNOWN,  /* could be anything */
    VALUE_NONE,
    VALUE_BOOL,     /* i */
    VALUE_INT,      /* i */
    VALUE_FLOAT,    /* f */
    VALUE_COMPLEX,  /* text: its repr, "(3+4j)" */
    VALUE_STR,      /* text: UTF-8; surrogates as WTF-8 */
    VALUE_BYTES,    /* text: the bytes */
    VALUE_TUPLE,    /* items */
    VALUE_LIST,
    VALUE_SET,
    VALUE_DICT,     /* items: key, value, key, value … */
    VALUE_PARAM,    /* pytest.param(items…, keywords) */
    VALUE_MARK,     /* pytest.mark.text, called with items and keywords or not called (called) */
    VALUE_PATTERN,  /* re.compile(text) */
    VALUE_ENUM,     /* a member; text: str() of it */
    VALUE_NAMED,    /* an object whose __name__ is text: a function, a class, a builtin */
    VALUE_EXTERNAL, /* what text, a qualified name, says: "pytest", "itertools.product" */
    VALUE_PLAIN     /* an object without an id of its own: pytest writes argname + index */
};

/* In i of a VALUE_UNKNOWN: what it is as a condition is known all the same. */
enum { VALUE_IS_TRUE = 1, VALUE_IS_FALSE = 2 };

struct value_keyword;
struct value {
    enum value_kind kind;
    bool called;              /* MARK; of an EXTERNAL: it is a module of that name; of a TUPLE or LIST: it
                                 stands for a range, a view or an iterator of these items */
    int64_t i;
    double f;
    struct str text;
    struct value *items;      /* NULL when n_items is 0 */
    uint32_t n_items, n_keywords;
    struct value_keyword *keywords;
    const void *ref;          /* NAMED: the environment's own (a definition); opaque to value.c and expr.c */
};
struct value_keyword {
    struct str name;          /* "" for **mapping, whose value is then unknown unless a DICT of strings */
    struct value value;
};

/* str(v) of numbers, strings, None and booleans; repr for what is inside of containers (CPython 3.8
 * to 3.14). False when it is not known. */
bool value_str(const struct value *v, struct buf *out);
bool value_repr(const struct value *v, struct buf *out);
/* bool(v): 1, 0, or -1 when it is not known. */
int value_truth(const struct value *v);
/* a == b: 1, 0 or -1. */
int value_equal(const struct value *a, const struct value *b);
/* a < b for numbers, strings, and tuples or lists of them: 1, 0, or -1. */
int value_less(const struct value *a, const struct value *b);
/* The keyword's value, or NULL. */
const struct value *value_keyword(const struct value *v, struct str name);

#endif
