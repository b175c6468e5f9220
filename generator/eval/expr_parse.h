/* Private to expr*.c: the reader's state, and what its parts give each other.
 *
 * expr.c         operators by precedence, calls, subscripts, attributes; the entry points
 * expr_atom.c    numbers, names, displays, comprehensions
 * expr_string.c  string literals
 * expr_value.c   making and asking values
 * expr_ops.c     what operators give; expr_format.c those of strings
 * expr_calls.c   calls: marks, pytest.param, the standard library
 * expr_builtins.c, expr_iter.c, expr_methods.c   tables of builtins, of iterators, of methods
 *
 * A function that reads moves x->p. With x->skip it only reads: its value is VALUE_UNKNOWN. */
#ifndef FASTEST_GENERATOR_EXPR_PARSE_H
#define FASTEST_GENERATOR_EXPR_PARSE_H

#include "generator/eval/expr.h"

enum {
    EXPR_MAX_DEPTH = 200,
    EXPR_MAX_ITEMS = 100000,     /* of one value */
    EXPR_MAX_STEPS = 2000000,    /* atoms read, those of loops each time */
    EXPR_MAX_ALL_ITEMS = 2000000,
    EXPR_MAX_TEXT = 1 << 20,     /* bytes of one value */
    EXPR_MAX_ALL_TEXT = 1 << 26
};

/* What a VALUE_LIST or VALUE_TUPLE with `called` stands for, in i: it has items, but no text or equality. */
enum expr_iterable {
    EXPR_PLAIN_SEQUENCE = 0,
    EXPR_ITERATOR = 1, /* zip, map, a generator: no length, read only once */
    EXPR_VIEW = 2      /* range, dict.keys(): a length, read again and again */
};

struct expr_local {
    struct str name;
    struct value value;
    const struct expr_local *next;
};

struct expr {
    const struct expr_env *env;
    const char *p, *end;
    const struct expr_local *locals;
    uint32_t depth, skip;
    uint64_t steps, items, text;
    bool bad; /* not an expression, or past a limit: everything is unknown */
};

/* ---- reading (expr.c, expr_atom.c, expr_string.c) ---- */

void expr_blank(struct expr *x);
bool expr_take(struct expr *x, const char *operator);
bool expr_take_word(struct expr *x, const char *word);
struct str expr_peek_word(struct expr *x); /* "" when there is none */
bool expr_enter(struct expr *x);           /* one level deeper; x->depth-- leaves it, also when false */
struct value expr_fail(struct expr *x);    /* x->bad */

struct value expr_read(struct expr *x);         /* a whole expression */
struct value expr_read_or(struct expr *x);      /* no conditional, no lambda */
struct value expr_read_unary(struct expr *x);
struct value expr_read_atom(struct expr *x);
/* Arguments up to the closing parenthesis, which is taken too, or to the end of the text. */
struct value expr_read_arguments(struct expr *x, bool to_end);
bool expr_at_string(struct expr *x);
struct value expr_read_strings(struct expr *x); /* implicit concatenation too */
/* Is there a comprehension's `for` before the next comma or closing bracket? */
bool expr_has_for(struct expr *x);
/* The items of a comprehension as a list; x->p is at its element, and then at the closing bracket. */
struct value expr_read_comprehension(struct expr *x, bool dict);

/* ---- values ---- */

struct expr_items { /* grows on the heap; expr_items_end moves it to the arena */
    struct value *items;
    size_t n, cap;
    bool unknown;
};
void expr_items_add(struct expr *x, struct expr_items *l, struct value v);
void expr_items_spread(struct expr *x, struct expr_items *l, const struct value *v);
struct value expr_items_end(struct expr *x, struct expr_items *l, enum value_kind kind);

/* n items or bytes in the arena, or NULL past a limit (then x->bad). */
struct value *expr_array(struct expr *x, size_t n);
char *expr_text(struct expr *x, size_t n);
struct value expr_unknown(void);
struct value expr_int(int64_t i);
struct value expr_bool(int truth); /* -1: unknown */
struct value expr_float(double f);
struct value expr_plain(struct str class);
struct value expr_str(struct str text);
struct value expr_named(struct str name);              /* a builtin */
struct value expr_sequence(enum value_kind kind, struct value *items, size_t n, enum expr_iterable how);
struct value expr_iterator(struct value list); /* what is no list stays what it is */
struct value expr_buf(struct expr *x, struct buf *b, enum value_kind kind); /* releases b */
struct value expr_complex(struct expr *x, double real, double imaginary);
bool expr_complex_parts(const struct value *v, double *real, double *imaginary); /* of any number */
/* Without equal items or keys; PLAIN when it cannot be told which are equal. */
struct value expr_set(struct expr *x, struct value *items, size_t n);
struct value expr_dict(struct expr *x, struct value *items, size_t n);

bool expr_is_int(const struct value *v); /* or bool */
bool expr_is_number(const struct value *v);
double expr_double(const struct value *v);
bool expr_is_generator(const struct value *v);
static inline bool expr_is(struct str a, const char *b)
{
    return str_eq(a, str_z(b));
}
/* The items in order; false when it is not known. */
bool expr_iterate(struct expr *x, const struct value *v, struct value **items, uint32_t *n);
int64_t expr_length(const struct value *v); /* -1: unknown */
struct str expr_char(struct str s, size_t *i); /* one character, as bytes; moves *i */

/* ---- operators (expr_ops.c); '/' with 'd' for "//", '*' with 'p' for "**", '<' and '>' for shifts ---- */

struct value expr_binary(struct expr *x, char op, const struct value *a, const struct value *b);
struct value expr_negate(struct expr *x, char op, const struct value *v);
int expr_contains(struct expr *x, const struct value *item, const struct value *in);
struct value expr_index(struct expr *x, const struct value *v, const struct value *index);
/* v[parts[0]:parts[1]:parts[2]]; VALUE_NONE is an absent part. */
struct value expr_slice(struct expr *x, const struct value *v, const struct value parts[3]);

/* ---- formatting (expr_format.c) ---- */

/* format(v, spec); false when it is not known. */
bool expr_format(const struct value *v, struct str spec, struct buf *out);
/* "text" % value, and text.format(args). */
struct value expr_percent(struct expr *x, const struct value *text, const struct value *v);
struct value expr_format_call(struct expr *x, const struct value *text, const struct value *args);

/* ---- calls ---- */

struct value expr_call(struct expr *x, const struct value *callee, const struct value *args);
struct value expr_attribute(struct expr *x, const struct value *object, struct str name);
/* object.name(args), where object is no VALUE_NAMED or VALUE_EXTERNAL. */
struct value expr_method(struct expr *x, const struct value *object, struct str name, const struct value *args);
struct value expr_builtin(struct expr *x, const struct value *f, const struct value *args);
bool expr_itertool(struct expr *x, struct str name, const struct value *args, struct value *out);

struct value expr_iter_range(struct expr *x, const struct value *args);
struct value expr_iter_zip(struct expr *x, const struct value *args);
struct value expr_iter_enumerate(struct expr *x, const struct value *args);
struct value expr_iter_reversed(struct expr *x, const struct value *args);
struct value expr_iter_sorted(struct expr *x, const struct value *args);

/* f(argument) for a builtin, without an environment: what ids=str gives. */
struct value expr_apply(struct arena *a, const struct value *f, const struct value *argument);

#endif
