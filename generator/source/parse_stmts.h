/* The statements of a file from tree-sitter: of its outline (outline.h), or of the whole text where the
 * outline cannot be made. Safe for input of any nesting depth. One parser a thread.
 *
 * struct stmt_parser *p = stmt_parser_new(); stmt_parser_run(p, text, &out); … stmt_parser_free(p) */
#ifndef FASTEST_GENERATOR_PARSE_STMTS_H
#define FASTEST_GENERATOR_PARSE_STMTS_H

#include "generator/source/stmts.h"

struct stmt_parser;
struct stmt_parser *stmt_parser_new(void);
void stmt_parser_free(struct stmt_parser *p);
/* Parse whole files: the slow way with the same answers, for tests. */
void stmt_parser_whole(struct stmt_parser *p, bool whole);
/* Appends packed statements to out. A syntax error that tree-sitter sees is a STMT_ERROR. */
void stmt_parser_run(struct stmt_parser *p, struct str text, struct buf *out);

#endif
