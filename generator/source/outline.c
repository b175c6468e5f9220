#include "generator/source/outline.h"

#include "generator/source/lines.h"
#include "generator/source/stmts.h"
#include "runtime/base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PLAIN_DEPTH = 40 };

/* What stands for a statement whose suite, if it has one, is on the lines below it. */
static const char *const placeholders[] = {
    [STMT_SIMPLE] = "x\n",           [STMT_DECORATOR] = "@x\n",
    [STMT_DEF] = "def f():\n",       [STMT_CLASS] = "class f:\n", [STMT_IF] = "if x:\n",
    [STMT_ELIF] = "elif x:\n",       [STMT_ELSE] = "else:\n",     [STMT_FOR] = "for x in x:\n",
    [STMT_WHILE] = "while x:\n",     [STMT_TRY] = "try:\n",       [STMT_EXCEPT] = "except x:\n",
    [STMT_FINALLY] = "finally:\n",   [STMT_WITH] = "with x:\n",
};

struct outliner {
    struct outline *o;
    const char *text;
    struct lines lines;
    struct line line;
    bool have;
};

static bool advance(struct outliner *x)
{
    x->have = lines_next(&x->lines, &x->line);
    return !x->lines.odd;
}

static struct outline_segment *add_segment(struct outliner *x, enum stmt_kind kind, const struct line *l,
                                           const char *to)
{
    struct outline *o = x->o;
    o->segments = xgrow(o->segments, &o->cap, o->n + 1, sizeof *o->segments);
    struct outline_segment *s = &o->segments[o->n++];
    while (to > l->body && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *s = (struct outline_segment){.start = (size_t)(l->start - x->text), .from = (size_t)(l->body - x->text),
                                  .to = (size_t)(to - x->text), .row = l->row, .indent = l->indent,
                                  .kind = (uint8_t)kind, .words = (uint8_t)l->words};
    return s;
}

static bool add_function(struct outliner *x)
{
    struct line l = x->line;
    struct body_words words = {0};
    struct outline_segment *s = add_segment(x, STMT_DEF, &l, l.colon);
    size_t changed = x->o->mutated.n; /* before the line that is read ahead */
    x->lines.mutated = &x->o->mutated;
    bool ok = advance(x);
    if (x->have && x->line.indent > l.indent && x->line.body - x->line.start <= UINT16_MAX) {
        s->pass_indent = (uint16_t)(x->line.body - x->line.start);
        s->body_from = (size_t)(x->line.start - x->text);
    } else {
        ok = false;
    }
    while (ok && x->have && x->line.indent > l.indent) {
        body_line(&words, &x->line);
        s->body_to = (size_t)(x->line.text_end - x->text);
        changed = x->o->mutated.n;
        ok = advance(x);
    }
    x->o->mutated.n = changed;
    s->words = (uint8_t)body_words(&words, (struct str){l.body, (size_t)(l.colon - l.body)});
    x->lines.mutated = NULL;
    return ok;
}

static bool add_line(struct outliner *x)
{
    const struct line *l = &x->line;
    enum stmt_kind kind = *l->body == '@' ? STMT_DECORATOR : stmts_block_kind(line_word(l));
    bool simple = kind == (enum stmt_kind)0 || kind == STMT_DECORATOR;
    if (kind == STMT_DEF && line_opens(l))
        return add_function(x);
    struct outline_segment *s =
        add_segment(x, kind ? kind : STMT_SIMPLE, l, simple || !line_opens(l) ? l->text_end : l->colon);
    s->verbatim = kind == (enum stmt_kind)0 ? l->n_semicolons > 0 : !simple && !line_opens(l);
    if (kind == STMT_MATCH || kind == STMT_CASE) {
        s->verbatim = true;
        s->to = (size_t)(l->text_end - x->text);
    }
    return advance(x);
}

bool outline_make(struct outline *o, struct str text)
{
    o->source = text;
    o->n = o->mutated.n = 0;
    struct outliner x = {.o = o, .text = text.p, .lines = lines_of(text)};
    bool ok = advance(&x);
    while (ok && x.have)
        ok = add_line(&x);
    return ok && !x.lines.odd;
}

/* ---- parts ---- */

/* What a block's next statement may be. */
struct block {
    uint32_t indent;
    uint8_t last; /* the kind of the statement or clause before, 0 for none */
    bool in_try;  /* last is a clause of a try */
};

struct nest {
    struct block blocks[MAX_PLAIN_DEPTH];
    uint32_t n;
    bool open;    /* the last line was a header */
};

static bool continues(uint8_t kind)
{
    return kind == STMT_ELIF || kind == STMT_ELSE || kind == STMT_EXCEPT || kind == STMT_FINALLY;
}

/* May nothing more follow the last statement? */
static bool is_complete(const struct block *b)
{
    return b->last != STMT_DECORATOR && b->last != STMT_TRY;
}

static bool may_follow(const struct block *b, uint8_t kind)
{
    switch ((enum stmt_kind)kind) {
    case STMT_ELIF:
        return b->last == STMT_IF || b->last == STMT_ELIF;
    case STMT_ELSE:
        return b->last == STMT_IF || b->last == STMT_ELIF || b->last == STMT_FOR || b->last == STMT_WHILE ||
               b->last == STMT_EXCEPT;
    case STMT_EXCEPT:
        return b->last == STMT_TRY || b->last == STMT_EXCEPT;
    case STMT_FINALLY:
        return b->last == STMT_TRY || b->last == STMT_EXCEPT || (b->last == STMT_ELSE && b->in_try);
    case STMT_DECORATOR:
    case STMT_DEF:
    case STMT_CLASS:
        return b->last != STMT_TRY;
    default:
        return is_complete(b);
    }
}

/* The next line's place; false where the grammar has none for it. */
static bool nest_line(struct nest *x, const struct outline_segment *s)
{
    if (x->open) {
        if (x->n == MAX_PLAIN_DEPTH || (x->n && s->indent <= x->blocks[x->n - 1].indent))
            return false;
        x->blocks[x->n++] = (struct block){.indent = s->indent};
    }
    while (x->n > 1 && s->indent < x->blocks[x->n - 1].indent)
        if (!is_complete(&x->blocks[--x->n]))
            return false;
    struct block *b = &x->blocks[x->n - 1];
    if (s->indent != b->indent || !may_follow(b, s->kind))
        return false;
    b->in_try = s->kind == STMT_TRY || s->kind == STMT_EXCEPT || (s->kind == STMT_ELSE && b->in_try);
    b->last = s->kind;
    x->open = s->kind != STMT_SIMPLE && s->kind != STMT_DECORATOR && s->kind != STMT_DEF;
    return true;
}

size_t outline_part(struct outline *o, size_t first, bool *plain)
{
    struct nest x = {.open = true};
    size_t i = first;
    *plain = o->segments[first].indent == 0;
    for (; i < o->n; i++) {
        struct outline_segment *s = &o->segments[i];
        if (i > first && s->indent == 0 && !continues(s->kind) && o->segments[i - 1].kind != STMT_DECORATOR)
            break;
        *plain = *plain && !s->verbatim && nest_line(&x, s);
        s->depth = (uint8_t)(x.n - 1);
    }
    *plain = *plain && !x.open;
    while (*plain && x.n > 0)
        *plain = is_complete(&x.blocks[--x.n]);
    return i;
}

struct str outline_text(struct outline *o, size_t first, size_t end)
{
    buf_clear(&o->text);
    for (size_t i = first; i < end; i++) {
        struct outline_segment *s = &o->segments[i];
        buf_add(&o->text, o->source.p + s->start, s->from - s->start);
        s->at = o->text.n;
        if (s->verbatim) {
            buf_add(&o->text, o->source.p + s->from, s->to - s->from);
            buf_char(&o->text, '\n');
            continue;
        }
        buf_z(&o->text, placeholders[s->kind]);
        if (s->kind == STMT_DEF) {
            buf_add(&o->text, o->source.p + s->body_from, s->pass_indent);
            buf_z(&o->text, "pass\n");
        }
    }
    return buf_view(&o->text);
}

const struct outline_segment *outline_find(const struct outline *o, size_t first, size_t end, size_t at)
{
    size_t low = first, high = end;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (o->segments[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low > first ? &o->segments[low - 1] : NULL;
}

void outline_release(struct outline *o)
{
    buf_release(&o->text);
    free(o->segments);
    strs_release(&o->mutated);
    *o = (struct outline){0};
}
