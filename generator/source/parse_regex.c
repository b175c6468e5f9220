#include "generator/source/parse_regex.h"

#include "generator/source/lines.h"

#include <string.h>

struct scan_block {
    uint32_t indent;      /* of its lines */
    enum stmt_kind kind;  /* of its header; 0 for the module */
};

struct scanner {
    struct lines lines;
    struct line line;
    bool have;            /* line is the next one */
    struct scan_block stack[STMT_MAX_DEPTH + 1];
    uint32_t n;           /* blocks on the stack: depth + 1 */
    struct strs mutated;
    struct buf *out;
};

static bool advance(struct scanner *x)
{
    x->have = lines_next(&x->lines, &x->line);
    return !x->lines.odd;
}

static struct str between(const char *from, const char *to)
{
    return str_trim((struct str){from, (size_t)(to - from)});
}

static void add(struct scanner *x, enum stmt_kind kind, uint32_t depth, uint32_t words, uint32_t row,
                struct str text)
{
    struct stmt s = {.kind = (uint8_t)kind, .depth = (uint8_t)depth, .words = (uint8_t)words,
                     .line = row + 1, .text = text};
    if (kind != STMT_SIMPLE || !stmts_is_idle(text))
        stmts_add(x->out, &s);
}

/* The statements of a line, or of what follows a header's colon on its line. */
static void add_simple(struct scanner *x, const struct line *l, const char *from, uint32_t depth)
{
    for (uint32_t i = 0; i <= l->n_semicolons; i++) {
        const char *to = i < l->n_semicolons ? l->semicolons[i] : l->text_end;
        struct str text = between(from, to);
        uint32_t row = l->row;
        for (const char *p = l->body; p < text.p; p++)
            row += *p == '\n';
        if (text.n)
            add(x, STMT_SIMPLE, depth, l->words, row, text);
        from = to + 1;
    }
}

/* A function: its header, and of its body the words; the text too when it is a hook. */
static bool add_function(struct scanner *x, uint32_t depth)
{
    struct line l = x->line;
    struct str header = between(l.body, l.colon), body = between(l.colon + 1, l.text_end);
    struct body_words words = {0};
    if (!line_opens(&l)) {
        struct lines one = lines_of(body);
        struct line only;
        while (lines_next(&one, &only))
            body_line(&words, &only);
        if (!advance(x))
            return false;
    } else {
        size_t changed = x->mutated.n; /* before the line that is read ahead */
        x->lines.mutated = &x->mutated;
        bool ok = advance(x);
        if (!x->have || x->line.indent <= l.indent)
            return false;
        body.p = x->line.start;
        while (ok && x->have && x->line.indent > l.indent) {
            body_line(&words, &x->line);
            body.n = (size_t)(x->line.text_end - body.p);
            changed = x->mutated.n;
            ok = advance(x);
        }
        x->mutated.n = changed;
        x->lines.mutated = NULL;
        if (!ok)
            return false;
    }
    add(x, STMT_DEF, depth, body_words(&words, header), l.row, header);
    if (stmts_keeps_body(header, body))
        add(x, STMT_BODY, depth + 1, 0, l.row, body);
    return true;
}

static enum stmt_kind line_kind(const struct scanner *x)
{
    const struct line *l = &x->line;
    struct str word = line_word(l);
    enum stmt_kind kind = stmts_block_kind(word);
    if (kind == STMT_MATCH && (!line_opens(l) || word.p[word.n] != ' '))
        return STMT_SIMPLE;
    if (kind == STMT_CASE && (!l->colon || x->stack[x->n - 1].kind != STMT_MATCH))
        return STMT_SIMPLE;
    return kind ? kind : STMT_SIMPLE;
}

static bool add_header(struct scanner *x, enum stmt_kind kind, uint32_t depth)
{
    struct line l = x->line;
    add(x, kind, depth, 0, l.row, between(l.body, l.colon));
    if (!line_opens(&l)) {
        add_simple(x, &l, l.colon + 1, depth + 1);
        return advance(x);
    }
    if (!advance(x) || !x->have || x->line.indent <= l.indent || x->n > STMT_MAX_DEPTH)
        return false;
    x->stack[x->n++] = (struct scan_block){x->line.indent, kind};
    return true;
}

static bool add_line(struct scanner *x)
{
    const struct line *l = &x->line;
    while (x->n > 1 && l->indent < x->stack[x->n - 1].indent)
        x->n--;
    if (l->indent != x->stack[x->n - 1].indent)
        return false;
    uint32_t depth = x->n - 1;
    if (*l->body == '@') {
        add(x, STMT_DECORATOR, depth, l->words, l->row, between(l->body + 1, l->text_end));
        return advance(x);
    }
    enum stmt_kind kind = line_kind(x);
    if (kind == STMT_SIMPLE) {
        add_simple(x, l, l->body, depth);
        return advance(x);
    }
    if (!l->colon || (l->n_semicolons && l->semicolons[0] < l->colon))
        return false;
    return kind == STMT_DEF ? add_function(x, depth) : add_header(x, kind, depth);
}

bool parse_regex(struct str text, struct buf *out)
{
    struct scanner x = {.lines = lines_of(text), .n = 1, .out = out};
    size_t before = out->n;
    bool ok = advance(&x);
    while (ok && x.have)
        ok = add_line(&x);
    ok = ok && !x.lines.odd;
    strs_sort(&x.mutated);
    strs_unique(&x.mutated);
    for (size_t i = 0; ok && i < x.mutated.n; i++)
        add(&x, STMT_MUTATED, 0, 0, 0, x.mutated.items[i]);
    strs_release(&x.mutated);
    if (!ok)
        out->n = before;
    return ok;
}
