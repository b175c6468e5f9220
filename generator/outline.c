#include "generator/outline.h"

#include "generator/lines.h"
#include "generator/stmts.h"
#include "runtime/base/arena.h"

#include <stdlib.h>
#include <string.h>

/* What stands for a header whose suite is on the lines below it. */
static const char *const headers[] = {
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

static struct outline_segment *open_segment(struct outliner *x, const struct line *l, const char *to)
{
    struct outline *o = x->o;
    o->segments = xgrow(o->segments, &o->cap, o->n + 1, sizeof *o->segments);
    struct outline_segment *s = &o->segments[o->n++];
    while (to > l->body && (to[-1] == ' ' || to[-1] == '\t'))
        to--;
    *s = (struct outline_segment){.from = (size_t)(l->body - x->text), .to = (size_t)(to - x->text),
                                  .row = l->row, .words = (uint8_t)l->words};
    buf_add(&o->text, l->start, (size_t)(l->body - l->start));
    s->at = o->text.n;
    return s;
}

static bool put_verbatim(struct outliner *x)
{
    const struct line *l = &x->line;
    struct outline_segment *s = open_segment(x, l, l->text_end);
    s->verbatim = true;
    buf_add(&x->o->text, l->body, (size_t)(l->text_end - l->body));
    buf_char(&x->o->text, '\n');
    return advance(x);
}

static bool put_function(struct outliner *x)
{
    struct line l = x->line;
    struct body_words words = {0};
    struct outline_segment *s = open_segment(x, &l, l.colon);
    size_t changed = x->o->mutated.n; /* before the line that is read ahead */
    x->lines.mutated = &x->o->mutated;
    bool ok = advance(x);
    if (x->have && x->line.indent > l.indent) {
        buf_z(&x->o->text, headers[STMT_DEF]);
        buf_add(&x->o->text, x->line.start, (size_t)(x->line.body - x->line.start));
        buf_z(&x->o->text, "pass\n");
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

static bool put_line(struct outliner *x)
{
    const struct line *l = &x->line;
    enum stmt_kind kind = stmts_block_kind(line_word(l));
    if (*l->body == '@') {
        open_segment(x, l, l->text_end);
        buf_z(&x->o->text, "@x\n");
        return advance(x);
    }
    if (kind == STMT_MATCH || kind == STMT_CASE)
        return put_verbatim(x);
    if (kind == (enum stmt_kind)0) {
        if (l->n_semicolons)
            return put_verbatim(x);
        open_segment(x, l, l->text_end);
        buf_z(&x->o->text, "x\n");
        return advance(x);
    }
    if (!line_opens(l))
        return put_verbatim(x);
    if (kind == STMT_DEF)
        return put_function(x);
    open_segment(x, l, l->colon);
    buf_z(&x->o->text, headers[kind]);
    return advance(x);
}

bool outline_make(struct outline *o, struct str text)
{
    buf_clear(&o->text);
    o->n = o->mutated.n = 0;
    struct outliner x = {.o = o, .text = text.p, .lines = lines_of(text)};
    bool ok = advance(&x);
    while (ok && x.have)
        ok = put_line(&x);
    return ok && !x.lines.odd;
}

const struct outline_segment *outline_find(const struct outline *o, size_t at)
{
    size_t low = 0, high = o->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (o->segments[mid].at <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low ? &o->segments[low - 1] : NULL;
}

void outline_release(struct outline *o)
{
    buf_release(&o->text);
    free(o->segments);
    strs_release(&o->mutated);
    *o = (struct outline){0};
}
