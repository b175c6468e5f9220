/* Splits the text of a Python expression or header outside strings, brackets and comments. */
#ifndef FASTEST_GENERATOR_SPLIT_H
#define FASTEST_GENERATOR_SPLIT_H

#include "runtime/base/str.h"

/* The first c outside strings and brackets (no lambda's colon), or s.n. Text that is odd: s.n + 1. */
size_t split_find(struct str s, char c);
/* The first of these words outside strings and brackets, or s.n (s.n + 1: odd). */
size_t split_find_word(struct str s, const char *const *words, size_t n_words);
/* The next part before a comma, trimmed, without comments at its ends; an empty last part does not count.
 * False when there is none, or when the rest is odd (then *rest keeps p, with n > 0). */
bool split_next(struct str *rest, struct str *part);

/* "callee(arguments)": false, with callee = s, when s does not end with a call. */
bool split_call(struct str s, struct str *callee, struct str *arguments);

/* An assignment: the targets before each "=" in turn, and the value. */
struct split_assignment {
    struct str targets[8], value, annotation; /* value "" when it is only annotated */
    unsigned n_targets;
    bool augmented; /* += and the like: one target */
};
bool split_assignment(struct str s, struct split_assignment *a);

/* The next identifier outside strings (also one after a dot: dotted is true then). */
bool split_word(struct str *rest, struct str *word, bool *dotted);

#endif
