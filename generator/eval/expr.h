/* Evaluates a Python expression without running Python: literals, names that the environment knows,
 * operators, comparisons, subscripts, comprehensions over what is known, and a table of calls
 * (range, list, zip, itertools.product, pytest.param, pytest.mark.…, re.compile, …).
 *
 * No side effects. Input is any bytes: what is no expression is VALUE_UNKNOWN. Depth (200) and
 * size (100,000 items a value, 10,000 steps of a comprehension) are bounded. */
#ifndef FASTEST_GENERATOR_EXPR_H
#define FASTEST_GENERATOR_EXPR_H

#include "generator/eval/value.h"

enum expr_name {
    EXPR_ABSENT, /* no such name in the module: the builtin of that name, if there is one */
    EXPR_BOUND   /* *out says what it is, VALUE_UNKNOWN when that is not known */
};

/* What surrounds the expression. Every callback may be NULL (then: absent, unknown). */
struct expr_env {
    void *ctx;
    struct arena *arena;
    enum expr_name (*name)(void *ctx, struct str name, struct value *out);
    /* object.name for a VALUE_NAMED object with a ref (a module or class of the project). */
    void (*attribute)(void *ctx, const struct value *object, struct str name, struct value *out);
    /* The value of a qualified name outside the project ("sys.version_info", "os.name"). *out stays
     * VALUE_UNKNOWN when it has none that is known: the name itself is then the value. */
    void (*external)(void *ctx, struct str qualified, struct value *out);
    /* function(args…) for a VALUE_NAMED function with a ref, or a VALUE_EXTERNAL one that the table of
     * calls does not have; call->items and call->keywords hold the
     * arguments. */
    void (*call)(void *ctx, const struct value *function, const struct value *call, struct value *out);
};

struct value expr_eval(const struct expr_env *env, struct str text);

/* The arguments of a call given as text between its parentheses ("1, x, key=2"): items and keywords
 * of a VALUE_TUPLE. A *sequence that is known is spread; VALUE_UNKNOWN when one is not. */
struct value expr_arguments(const struct expr_env *env, struct str text);

#endif
