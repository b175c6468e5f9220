/* -k and -m expressions: pytest's grammar and meaning (7.0 to 9.2, src/_pytest/mark/expression.py,
 * src/_pytest/mark/__init__.py: KeywordMatcher, MarkMatcher).
 *
 * An empty expression selects all; so does a -k of white space alone (a -m of white space selects none).
 * What this leaves out: bytes from 0x80 on are all taken as letters, and case is folded in ASCII only.
 *
 * The names of -k are the caller's to collect, as KeywordMatcher.from_item does (in any order, doubles are
 * harmless): the names of the item (with its "[id]") and of its classes, module, packages and directories,
 * without the session's, and from pytest 8 without the root directory's; extra_keyword_matches of all of them;
 * the names in the function's __dict__ (in 7.0 to 8.4 all of them, "pytestmark" of a marked function too; in
 * 9.2 not those with a leading "_", nor "pytestmark" and "cache_parameters"); the names of all marks.
 *
 * struct select *s = select_new(text, is_mark, &err); … select_match(s, &item); … select_free(s). */
#ifndef FASTEST_GENERATOR_SELECT_H
#define FASTEST_GENERATOR_SELECT_H

#include "generator/eval/value.h"
#include "runtime/base/err.h"

/* What an expression is asked about. */
struct select_item {
    const struct str *names;     /* -k: the item's own names, as KeywordMatcher.from_item collects them */
    uint32_t n_names;
    const struct value *marks;   /* VALUE_MARK: closest first */
    uint32_t n_marks;
};

struct select;
enum { SELECT_MARK = 1 /* -m, not -k */, SELECT_NO_CALLS = 2 /* before pytest 8.3 marks have no arguments */ };
/* NULL with err: pytest's words, with the column ("Wrong expression passed to '-k': …"). */
struct select *select_new(struct str text, unsigned flags, struct err *err);
/* 1 selected, 0 not, -1 when a mark's argument that decides is not known. */
int select_match(const struct select *s, const struct select_item *item);
void select_free(struct select *s);

#endif
