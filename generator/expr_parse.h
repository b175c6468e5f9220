/* Shared by expr.c (grammar), expr_string.c (string literals) and expr_calls.c (what calls give). */
#ifndef FASTEST_GENERATOR_EXPR_PARSE_H
#define FASTEST_GENERATOR_EXPR_PARSE_H

#include "generator/expr.h"

enum { EXPR_MAX_DEPTH = 200, EXPR_MAX_ITEMS = 100000, EXPR_MAX_STEPS = 200000 };

struct expr_local {
    struct str name;
    struct value value;
    const struct expr_local *next;
};

struct expr {
    const struct expr_env *env;
    const char *p, *end;
    const struct expr_local *locals;
    uint32_t depth;
    uint64_t *steps;
    bool bad;             /* not an expression, or past a limit: everything is unknown */
};

/* The value of the text with these locals, by the same environment and limits. */
struct value expr_sub(const struct expr *x, struct str text, const struct expr_local *locals);
/* One literal with its prefix; x->p is at the prefix or quote. False: no literal, or odd. */
bool expr_string(struct expr *x, struct value *out);
/* callee(args), args being a tuple with keywords. */
struct value expr_call(const struct expr *x, const struct value *callee, const struct value *args);
/* object.name(args) for strings and dictionaries. */
struct value expr_method(const struct expr *x, const struct value *object, struct str name,
                         const struct value *args);
/* The items of anything that can be iterated over in a known order; false when it is not known. */
bool expr_items(const struct expr *x, const struct value *v, struct value **items, uint32_t *n);
struct value expr_sequence(enum value_kind kind, struct value *items, uint32_t n);

/* ---- the grammar's levels and helpers (expr.c) ---- */
struct value expr_unknown(void);
struct value expr_fail(struct expr *x);       /* sets bad */
void expr_skip(struct expr *x);               /* blanks, comments, joined lines */
bool expr_take(struct expr *x, const char *op);
struct str expr_peek(struct expr *x);         /* the word that is next, "" for none */
bool expr_take_word(struct expr *x, const char *word);
bool expr_enter(struct expr *x);              /* one level deeper; the caller counts depth down again */
struct value expr_postfix(struct expr *x);    /* an atom with calls, subscripts, attributes */
struct value expr_join(struct expr *x, struct value a, struct value b); /* strings */
/* A whole expression (expr_operators.c). */
struct value expr_parse(struct expr *x);

/* Displays and comprehensions (expr_display.c). */
struct expr_list {
    struct value *items; /* malloc'ed */
    size_t n, cap;
    bool unknown;        /* a spread of something unknown */
};
void expr_add(struct expr *x, struct expr_list *l, struct value v);
void expr_spread(struct expr *x, struct expr_list *l, const struct value *v);
struct value expr_finish(struct expr *x, enum value_kind kind, struct expr_list *l); /* frees it */
/* After the opening bracket. A lone item in parentheses is itself. */
struct value expr_display(struct expr *x, enum value_kind kind, char close);
struct value expr_braces(struct expr *x);
bool expr_at_for(struct expr *x);
/* x->p is at the `for` of a comprehension that ends before close. */
struct value expr_comprehension(struct expr *x, enum value_kind kind, const char *element, const char *key,
                                const char *key_end, char close);

#endif
