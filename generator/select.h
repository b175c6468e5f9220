/* -k and -m expressions: pytest's grammar and meaning (7.0 to 9.2, src/_pytest/mark/expression.py,
 * src/_pytest/mark/__init__.py: KeywordMatcher, MarkMatcher).
 *
 * struct select *s = select_new(text, is_mark, &err); … select_match(s, &item); … select_free(s). */
#ifndef FASTEST_GENERATOR_SELECT_H
#define FASTEST_GENERATOR_SELECT_H

#include "generator/value.h"
#include "runtime/base/err.h"

/* What an expression is asked about. */
struct select_item {
    const struct str *names;     /* -k: the item's own names, as KeywordMatcher.from_item collects them */
    uint32_t n_names;
    const struct value *marks;   /* VALUE_MARK: closest first */
    uint32_t n_marks;
};

struct select;
/* NULL with err: pytest's words, with the column ("Wrong expression passed to '-k': …"). */
struct select *select_new(struct str text, bool is_mark, struct err *err);
/* 1 selected, 0 not, -1 when a mark's argument that decides is not known. */
int select_match(const struct select *s, const struct select_item *item);
void select_free(struct select *s);

#endif
