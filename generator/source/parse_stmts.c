#include "generator/source/parse_stmts.h"

#include "generator/source/lines.h"
#include "generator/source/outline.h"
#include "runtime/base/arena.h"

#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>

const TSLanguage *tree_sitter_python(void);

enum { MAX_WHOLE_BYTES = 32 << 20, MAX_LEVELS = 4 * STMT_MAX_DEPTH };

/* Kinds of node (tree-sitter-python 0.23 to 0.25): a statement's kind, or what it is to the walk. */
enum role { ROLE_OTHER, ROLE_CONTAINER = 100, ROLE_BLOCK, ROLE_COMMENT };
static const struct { const char *name; int role; } roles[] = {
    {"module", ROLE_CONTAINER},          {"decorated_definition", ROLE_CONTAINER},
    {"block", ROLE_BLOCK},               {"comment", ROLE_COMMENT},
    {"line_continuation", ROLE_COMMENT}, {"decorator", STMT_DECORATOR},
    {"function_definition", STMT_DEF},   {"class_definition", STMT_CLASS},
    {"if_statement", STMT_IF},           {"elif_clause", STMT_ELIF},
    {"else_clause", STMT_ELSE},          {"for_statement", STMT_FOR},
    {"while_statement", STMT_WHILE},     {"try_statement", STMT_TRY},
    {"except_clause", STMT_EXCEPT},      {"except_group_clause", STMT_EXCEPT},
    {"finally_clause", STMT_FINALLY},    {"with_statement", STMT_WITH},
    {"match_statement", STMT_MATCH},     {"case_clause", STMT_CASE},
};

struct stmt_parser {
    TSParser *ts;
    unsigned char *role_of; /* by grammar symbol */
    uint32_t n_symbols;
    struct outline outline;
    bool whole;
};

/* One file's state. */
struct walk {
    struct stmt_parser *parser;
    struct str source;
    bool outlined;
    size_t first, end;          /* the outline's segments that the tree is of */
    struct strs mutated;
    struct buf *out;
    uint32_t depth, level;      /* blocks, and nodes, around the current one */
    bool in_block[MAX_LEVELS];  /* are the named children at this level statements? */
};

struct stmt_parser *stmt_parser_new(void)
{
    struct stmt_parser *p = xmalloc(sizeof *p);
    *p = (struct stmt_parser){0};
    return p;
}

/* When the first text needs it. */
static void set_up(struct stmt_parser *p)
{
    const TSLanguage *l = tree_sitter_python();
    p->ts = ts_parser_new();
    p->n_symbols = ts_language_symbol_count(l);
    ts_parser_set_language(p->ts, l);
    p->role_of = xmalloc(p->n_symbols);
    memset(p->role_of, ROLE_OTHER, p->n_symbols);
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        TSSymbol s = ts_language_symbol_for_name(l, roles[i].name, (uint32_t)strlen(roles[i].name), true);
        if (s)
            p->role_of[s] = (unsigned char)roles[i].role;
    }
}

void stmt_parser_free(struct stmt_parser *p)
{
    if (!p)
        return;
    if (p->ts)
        ts_parser_delete(p->ts);
    outline_release(&p->outline);
    free(p->role_of);
    free(p);
}

void stmt_parser_whole(struct stmt_parser *p, bool whole)
{
    p->whole = whole;
}

static int role_of(const struct walk *x, TSNode n)
{
    TSSymbol s = ts_node_symbol(n);
    return s < x->parser->n_symbols ? x->parser->role_of[s] : ROLE_OTHER;
}

/* Where the header of a compound statement ends, and its body begins. */
static size_t find_colon(TSNode n)
{
    TSTreeCursor c = ts_tree_cursor_new(n);
    size_t at = ts_node_end_byte(n);
    bool more = ts_tree_cursor_goto_first_child(&c);
    for (; more; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode child = ts_tree_cursor_current_node(&c);
        if (!ts_node_is_named(child) && strcmp(ts_node_type(child), ":") == 0) {
            at = ts_node_start_byte(child);
            break;
        }
    }
    ts_tree_cursor_delete(&c);
    return at;
}

static void add(struct walk *x, int kind, uint32_t depth, uint32_t words, uint32_t row, struct str text)
{
    struct stmt s = {.kind = (uint8_t)kind, .depth = (uint8_t)depth, .words = (uint8_t)words,
                     .line = row + 1, .text = kind == STMT_BODY ? text : str_trim(text)};
    if (s.text.n && (kind != STMT_SIMPLE || !stmts_is_idle(s.text)))
        stmts_add(x->out, &s);
}

/* A function's body without comments around it; *words, and what it changes when it is below its header. */
static struct str body_of(struct walk *x, struct str header, size_t colon, size_t end, uint32_t *words)
{
    struct str body = str_trim(str_slice(x->source, colon + 1, end));
    while (body.n && *body.p == '#')
        body = str_trim(str_slice(body, str_chr(body, '\n'), body.n));
    size_t from = (size_t)(body.p - x->source.p), first = from;
    while (first > colon + 1 && x->source.p[first - 1] != '\n')
        first--;
    bool below = first > colon + 1;
    if (below)
        body.p = x->source.p + first;
    struct lines lines = lines_of(str_slice(x->source, below ? first : from, end));
    struct line l;
    struct body_words own = {0};
    lines.mutated = below ? &x->mutated : NULL;
    while (lines_next(&lines, &l)) {
        body_line(&own, &l);
        body.n = (size_t)(l.text_end - body.p);
    }
    *words = body_words(&own, header) | (lines.odd ? WORD_NAMESPACE : 0);
    return body;
}

/* A statement of the source as the tree has it: the whole file, or a line that stayed as it was. */
static void add_node(struct walk *x, TSNode n, int kind, const struct outline_segment *s)
{
    size_t shift = s ? s->from - s->at : 0, from = ts_node_start_byte(n) + shift;
    size_t end = ts_node_end_byte(n) + shift;
    if (kind == STMT_DECORATOR && ts_node_named_child_count(n)) /* without its comment */
        end = ts_node_end_byte(ts_node_named_child(n, 0)) + shift;
    size_t colon = kind == STMT_SIMPLE || kind == STMT_DECORATOR ? end : find_colon(n) + shift;
    uint32_t row = s ? s->row : ts_node_start_point(n).row, words = 0;
    struct str text = str_slice(x->source, from + (kind == STMT_DECORATOR), colon);
    struct str body = STR("");
    for (size_t i = s ? s->from : from; i < from; i++) /* a joined line holds several rows */
        row += x->source.p[i] == '\n';
    if (kind == STMT_DEF)
        body = body_of(x, text, colon, end, &words);
    else if (kind == STMT_SIMPLE || kind == STMT_DECORATOR)
        words = lines_words(text, NULL);
    add(x, kind, x->depth, words, row, text);
    if (kind == STMT_DEF && stmts_keeps_body(str_trim(text), body))
        add(x, STMT_BODY, x->depth + 1, 0, row, body);
}

static void add_segment(struct walk *x, int kind, const struct outline_segment *s)
{
    struct str text = str_slice(x->source, s->from, s->to);
    if (kind == STMT_DECORATOR)
        text = str_slice(text, 1, text.n);
    bool worded = kind == STMT_SIMPLE || kind == STMT_DECORATOR || kind == STMT_DEF;
    add(x, kind, x->depth, worded ? s->words : 0, s->row, text);
    struct str body = str_slice(x->source, s->body_from, s->body_to);
    if (kind == STMT_DEF && stmts_keeps_body(str_trim(text), body))
        add(x, STMT_BODY, x->depth + 1, 0, s->row, body);
}

static void add_statement(struct walk *x, TSNode n, int kind)
{
    if (x->depth > STMT_MAX_DEPTH)
        return;
    const struct outline_segment *s =
        x->outlined ? outline_find(&x->parser->outline, x->first, x->end, ts_node_start_byte(n)) : NULL;
    if (s && !s->verbatim)
        add_segment(x, kind, s);
    else
        add_node(x, n, kind, s);
}

/* True: its children are to be visited too. parent: is it a module or a block, whose named children
 * are statements? */
static bool enter(struct walk *x, TSNode n, bool in_block)
{
    int role = role_of(x, n);
    if (role == ROLE_CONTAINER || role == ROLE_BLOCK)
        return true;
    if (role == ROLE_COMMENT || !ts_node_is_named(n))
        return false;
    if (role != ROLE_OTHER) {
        add_statement(x, n, role);
        return role != STMT_DEF && role != STMT_DECORATOR;
    }
    if (in_block && !ts_node_is_error(n))
        add_statement(x, n, STMT_SIMPLE);
    return false;
}

static void walk(struct walk *x, TSNode root)
{
    TSTreeCursor c = ts_tree_cursor_new(root);
    x->depth = x->level = 0;
    x->in_block[0] = false;
    for (;;) {
        TSNode n = ts_tree_cursor_current_node(&c);
        bool down = enter(x, n, x->in_block[x->level]) && x->level + 1 < MAX_LEVELS;
        if (down && ts_tree_cursor_goto_first_child(&c)) {
            bool block = role_of(x, n) == ROLE_BLOCK;
            x->depth += block;
            x->level++;
            x->in_block[x->level] = block || x->level == 1;
            continue;
        }
        while (!ts_tree_cursor_goto_next_sibling(&c)) {
            if (!ts_tree_cursor_goto_parent(&c)) {
                ts_tree_cursor_delete(&c);
                return;
            }
            x->level--;
            x->depth -= role_of(x, ts_tree_cursor_current_node(&c)) == ROLE_BLOCK;
        }
    }
}

/* The first error in the order of the text. */
static void add_error(struct walk *x, TSNode root)
{
    TSTreeCursor c = ts_tree_cursor_new(root);
    for (;;) {
        TSNode n = ts_tree_cursor_current_node(&c);
        if (ts_node_is_error(n) || ts_node_is_missing(n)) {
            TSPoint at = ts_node_start_point(n);
            struct stmt s = {.kind = STMT_ERROR, .line = at.row + 1,
                             .column = (uint8_t)(at.column < 255 ? at.column : 255),
                             .text = ts_node_is_missing(n) ? str_z(ts_node_type(n)) : STR("")};
            stmts_add(x->out, &s);
            break;
        }
        if (ts_node_has_error(n) && ts_tree_cursor_goto_first_child(&c))
            continue;
        while (!ts_tree_cursor_goto_next_sibling(&c))
            if (!ts_tree_cursor_goto_parent(&c))
                goto done;
    }
done:
    ts_tree_cursor_delete(&c);
}

/* False: the tree has errors, and it was the outline's: nothing was added. */
static bool run(struct walk *x, struct str text)
{
    if (!x->parser->ts)
        set_up(x->parser);
    TSTree *tree = ts_parser_parse_string(x->parser->ts, NULL, text.p, (uint32_t)text.n);
    bool ok = true;
    if (tree) {
        TSNode root = ts_tree_root_node(tree);
        bool bad = ts_node_has_error(root);
        ok = !bad || !x->outlined;
        if (ok)
            walk(x, root);
        if (bad && ok)
            add_error(x, root);
        ts_tree_delete(tree);
    }
    ts_parser_reset(x->parser->ts);
    return ok;
}

static void add_mutated(struct walk *x, struct strs *names)
{
    strs_sort(names);
    strs_unique(names);
    for (size_t i = 0; i < names->n; i++)
        add(x, STMT_MUTATED, 0, 0, 0, names->items[i]);
}

/* Part by part, of which those that are plain need no parser. False, with out unchanged, when a tree has
 * errors. */
static bool run_outline(struct walk *x, struct outline *o)
{
    size_t before = x->out->n;
    x->outlined = true;
    for (x->first = 0; x->first < o->n; x->first = x->end) {
        bool plain, whole = o->segments[0].indent > 0;
        x->end = whole ? o->n : outline_part(o, x->first, &plain);
        if (whole || !plain) {
            if (run(x, outline_text(o, x->first, x->end)))
                continue;
            x->out->n = before;
            x->outlined = false;
            return false;
        }
        for (size_t i = x->first; i < x->end; i++) {
            x->depth = o->segments[i].depth;
            add_segment(x, o->segments[i].kind, &o->segments[i]);
        }
    }
    return true;
}

void stmt_parser_run(struct stmt_parser *p, struct str text, struct buf *out)
{
    struct walk x = {.parser = p, .source = text, .out = out};
    if (!p->whole && outline_make(&p->outline, text) && run_outline(&x, &p->outline)) {
        add_mutated(&x, &p->outline.mutated);
        return;
    }
    if (text.n <= MAX_WHOLE_BYTES) {
        run(&x, text);
        add_mutated(&x, &x.mutated);
    } else {
        struct stmt s = {.kind = STMT_ERROR, .line = 1, .text = STR("the file is too large to be parsed")};
        stmts_add(out, &s);
    }
    strs_release(&x.mutated);
}
