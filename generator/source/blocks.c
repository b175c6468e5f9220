#include "generator/source/blocks.h"

#include "generator/source/lines.h"
#include "generator/source/token.h"
#include "runtime/base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ITEM_BYTES = 40, MAX_SCOPES = 200 };

struct sum {             /* the hash of lines one after the other */
    struct hash128 hash;
    uint32_t row;        /* after its last line; UINT32_MAX: no distance is known */
};

struct body {
    struct sum sum;
    uint32_t first, last; /* from 0 */
    size_t name, name_n;  /* in names */
};

struct scope {
    uint32_t indent;      /* of its header */
    bool function, fresh; /* fresh: no statement of its suite was seen */
    uint32_t body;        /* of a function; of a class the one around it, NONE for the definition */
    size_t name_n;        /* of its qualified name, with what follows it, in path */
};

#define NONE UINT32_MAX

struct maker {
    struct lines lines;
    struct line line;
    bool keep_lines, keep_docs;
    bool begun;           /* the module's first statement was seen */
    struct sum definition;
    struct body *bodies;
    size_t n, cap;
    struct scope scopes[MAX_SCOPES];
    uint32_t n_scopes;
    uint32_t decorated;   /* row of the first decorator of what follows, NONE */
    struct buf names, path, scratch;
};

static void add(struct maker *m, struct sum *s, struct str text, uint32_t row)
{
    struct { struct hash128 before, text; uint64_t distance; } link = {.before = s->hash};
    buf_clear(&m->scratch);
    if (!token_strip(&m->scratch, text, m->keep_lines))
        buf_str(&m->scratch, text);
    link.text = hash128_of(m->scratch.p ? m->scratch.p : "", m->scratch.n);
    link.distance = m->keep_lines && s->row != NONE ? row - s->row : 0;
    s->hash = hash128_of(&link, sizeof link);
    for (size_t i = 0; i < text.n; i++)
        row += text.p[i] == '\n';
    s->row = row;
}

static struct sum *sum_of(struct maker *m, uint32_t body)
{
    return body == NONE ? &m->definition : &m->bodies[body].sum;
}

static uint32_t body_of(const struct maker *m, uint32_t n_scopes)
{
    return n_scopes ? m->scopes[n_scopes - 1].body : NONE;
}

/* Lines of another block come between: how far the next one is says nothing about this one. */
static void interrupt(struct maker *m, uint32_t body)
{
    sum_of(m, body)->row = NONE;
}

/* It begins with a string: a docstring, maybe of several literals or in brackets. */
static bool begins_with_string(struct str text)
{
    size_t i = 0;
    while (i < text.n && strchr("( \t\n\\", text.p[i]))
        i++;
    for (size_t k = 0; i < text.n && k < 2 && strchr("rRuU", text.p[i]); k++)
        i++;
    return i < text.n && (text.p[i] == '"' || text.p[i] == '\'');
}

/* Without docstrings: what follows is as near to what is before as if there were none. */
static void skip(struct sum *s, struct str text, uint32_t row)
{
    for (size_t i = 0; i < text.n; i++)
        row += text.p[i] == '\n';
    s->row = s->row == NONE ? NONE : row;
}

/* It is one plain literal, and nothing else. */
static bool is_string(struct str text)
{
    return text.n && (*text.p == '"' || *text.p == '\'') &&
           token_string_end(text.p, text.p + text.n, false) == text.p + text.n;
}

/* The same with a prefix, which formatted strings and bytes have too: they are no docstrings. */
static bool is_docstring(struct str text)
{
    size_t prefix = 0;
    while (prefix < 2 && prefix < text.n && strchr("rRuU", text.p[prefix]))
        prefix++;
    return is_string(str_slice(text, prefix, text.n));
}

static bool is_function(struct str word, const struct line *l)
{
    if (str_eq(word, STR("def")))
        return true;
    struct str rest = {l->body + word.n, (size_t)(l->text_end - l->body) - word.n};
    return str_eq(word, STR("async")) && str_starts(str_trim(rest), STR("def"));
}

/* The identifier behind def or class. */
static struct str defined_name(const struct line *l)
{
    struct line at = *l;
    struct str word = line_word(&at);
    while (str_eq(word, STR("def")) || str_eq(word, STR("async")) || str_eq(word, STR("class"))) {
        at.body += word.n;
        while (at.body < at.text_end && strchr(" \t\\\n", *at.body))
            at.body++;
        word = line_word(&at);
    }
    return word;
}

static struct str whole_line(const struct line *l, const char *to)
{
    return (struct str){l->start, (size_t)(to - l->start)};
}

static uint32_t open_body(struct maker *m, uint32_t first, uint32_t row)
{
    m->bodies = xgrow(m->bodies, &m->cap, m->n + 1, sizeof *m->bodies);
    struct body *b = &m->bodies[m->n];
    *b = (struct body){.sum.row = row, .first = first, .last = row};
    b->name = m->names.n;
    buf_str(&m->names, buf_view(&m->path));
    b->name_n = m->names.n - b->name;
    return (uint32_t)m->n++;
}

/* A header of a function or class: it is what surrounds it that evaluates it. */
static bool add_scope(struct maker *m, const struct line *l, bool function)
{
    uint32_t around = body_of(m, m->n_scopes), first = m->decorated != NONE ? m->decorated : l->row;
    if (!l->colon || m->n_scopes == MAX_SCOPES)
        return false;
    m->path.n = m->n_scopes ? m->scopes[m->n_scopes - 1].name_n : 0;
    buf_str(&m->path, defined_name(l));
    bool opens = line_opens(l);
    add(m, sum_of(m, around), whole_line(l, function ? l->colon : l->text_end), l->row);
    uint32_t row = sum_of(m, around)->row, body = function ? open_body(m, first, row) : around;
    if (function && !opens) {
        struct str suite = {l->colon + 1, (size_t)(l->text_end - l->colon - 1)};
        if (begins_with_string(suite))
            add(m, sum_of(m, around), suite, row);
        add(m, &m->bodies[body].sum, suite, row);
        m->bodies[body].last = m->bodies[body].sum.row;
        interrupt(m, around);
    }
    if (opens) {
        buf_z(&m->path, function ? ".<locals>." : ".");
        m->scopes[m->n_scopes++] = (struct scope){l->indent, function, true, body, m->path.n};
    }
    return true;
}

static void leave_scopes(struct maker *m, const struct line *l)
{
    while (m->n_scopes && l->indent <= m->scopes[m->n_scopes - 1].indent) {
        m->n_scopes--;
        if (m->scopes[m->n_scopes].function)
            interrupt(m, body_of(m, m->n_scopes));
    }
}

static bool add_line(struct maker *m)
{
    const struct line *l = &m->line;
    struct str word = line_word(l), text = {l->body, (size_t)(l->text_end - l->body)};
    leave_scopes(m, l);
    struct scope *s = m->n_scopes ? &m->scopes[m->n_scopes - 1] : NULL;
    bool first = s ? s->fresh : !m->begun;
    m->begun = true;
    if (s)
        s->fresh = false;
    for (uint32_t i = 0; i < m->n_scopes; i++)
        if (m->scopes[i].function) {
            struct body *b = &m->bodies[m->scopes[i].body];
            b->last = l->row;
            for (const char *p = l->body; p < l->text_end; p++)
                b->last += *p == '\n';
        }
    bool function = is_function(word, l);
    if (function || str_eq(word, STR("class"))) {
        bool ok = add_scope(m, l, function);
        m->decorated = NONE;
        return ok;
    }
    if (*l->body == '@' && m->decorated == NONE)
        m->decorated = l->row;
    else if (*l->body != '@')
        m->decorated = NONE;
    if (!m->keep_docs && first && is_docstring(text)) {
        skip(sum_of(m, body_of(m, m->n_scopes)), whole_line(l, l->text_end), l->row);
        return true;
    }
    bool documented = first && s && s->function && begins_with_string(text);
    if (documented)
        add(m, sum_of(m, body_of(m, m->n_scopes - 1)), whole_line(l, l->text_end), l->row);
    if (!documented || !is_string(text))
        add(m, sum_of(m, body_of(m, m->n_scopes)), whole_line(l, l->text_end), l->row);
    return true;
}

struct named { uint64_t name; uint32_t item; };

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    if (x->name != y->name)
        return x->name < y->name ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static void pack_all(struct maker *m, struct buf *out)
{
    struct named *order = xmalloc((m->n + 1) * sizeof *order);
    for (size_t i = 0; i < m->n; i++)
        order[i] = (struct named){hash64_of(m->names.p + m->bodies[i].name, m->bodies[i].name_n), (uint32_t)i};
    if (m->n)
        qsort(order, m->n, sizeof *order, by_name);
    pack_hash(out, m->definition.hash);
    pack_u32(out, (uint32_t)m->n);
    for (size_t i = 0; i < m->n; i++)
        pack_u32(out, order[i].item);
    free(order);
    for (size_t i = 0; i < m->n; i++) {
        const struct body *b = &m->bodies[i];
        pack_u64(out, hash64_of(m->names.p + b->name, b->name_n));
        pack_u32(out, b->first + 1);
        pack_u32(out, b->last + 1);
        pack_hash(out, b->sum.hash);
        pack_u32(out, (uint32_t)b->name);
        pack_u32(out, (uint32_t)b->name_n);
    }
    buf_str(out, buf_view(&m->names));
}

void blocks_pack(struct buf *out, struct str text, bool keep_lines, bool keep_docs)
{
    struct maker m = {.lines = lines_of(text), .keep_lines = keep_lines, .keep_docs = keep_docs,
                      .definition.row = 0, .decorated = NONE};
    bool ok = true;
    while (ok && lines_next(&m.lines, &m.line))
        ok = add_line(&m);
    if (ok && !m.lines.odd)
        pack_all(&m, out);
    free(m.bodies);
    buf_release(&m.names);
    buf_release(&m.path);
    buf_release(&m.scratch);
}

bool blocks_open(struct blocks *b, struct str packed)
{
    struct unpack u = {.p = (const unsigned char *)packed.p, .n = packed.n};
    memset(b, 0, sizeof *b);
    b->definition = unpack_hash(&u);
    b->n = unpack_count(&u, ITEM_BYTES + 4);
    if (u.bad)
        return false;
    b->by_name = u.p;
    b->items = u.p + (size_t)b->n * 4;
    b->names = (struct str){(const char *)b->items + (size_t)b->n * ITEM_BYTES, u.n - (size_t)b->n * (ITEM_BYTES + 4)};
    return true;
}

struct block blocks_get(const struct blocks *b, uint32_t i)
{
    struct unpack u = {.p = b->items + (size_t)i * ITEM_BYTES, .n = ITEM_BYTES};
    struct block out = {.name = unpack_u64(&u)};
    out.first = unpack_u32(&u);
    out.last = unpack_u32(&u);
    out.hash = unpack_hash(&u);
    uint32_t at = unpack_u32(&u), n = unpack_u32(&u);
    if (at <= b->names.n && n <= b->names.n - at)
        out.qualified = str_slice(b->names, at, at + n);
    return out;
}

uint32_t blocks_at(const struct blocks *b, uint32_t line)
{
    uint32_t lo = 0, hi = b->n;
    while (lo < hi) { /* the last block that begins at or before the line */
        uint32_t mid = lo + (hi - lo) / 2;
        if (blocks_get(b, mid).first <= line)
            lo = mid + 1;
        else
            hi = mid;
    }
    while (lo > 0) {
        struct block at = blocks_get(b, lo - 1);
        if (at.first == line || at.last >= line)
            return lo - 1;
        lo--;
    }
    return b->n;
}

static struct block get_by_name(const struct blocks *b, uint32_t i)
{
    struct unpack u = {.p = b->by_name + (size_t)i * 4, .n = 4};
    uint32_t item = unpack_u32(&u);
    return item < b->n ? blocks_get(b, item) : (struct block){0};
}

static uint64_t name_at(const struct blocks *b, uint32_t i)
{
    struct unpack u = {.p = b->by_name + (size_t)i * 4, .n = 4};
    uint32_t item = unpack_u32(&u);
    u = (struct unpack){.p = b->items + (size_t)item * ITEM_BYTES, .n = item < b->n ? 8 : 0};
    return unpack_u64(&u);
}

/* Of one name there may be several (a function defined twice): they count together. The first of them, n for none. */
static uint32_t find_name(const struct blocks *b, uint64_t name)
{
    uint32_t lo = 0, hi = b->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (name_at(b, mid) < name)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < b->n && name_at(b, lo) == name ? lo : b->n;
}

static uint32_t hint_of(const struct blocks *b, uint64_t name)
{
    uint32_t hint = 0;
    for (uint32_t i = find_name(b, name); i < b->n; i++) {
        struct block at = get_by_name(b, i);
        if (at.name != name)
            break;
        hint = hint * 31 + (uint32_t)at.hash.lo;
    }
    return hint;
}

void blocks_choose(const struct blocks *b, uint64_t name, struct buf *choice)
{
    if (find_name(b, name) == b->n)
        return;
    pack_u64(choice, name);
    pack_u32(choice, hint_of(b, name));
}

bool blocks_chosen(struct str *choice, uint64_t *name)
{
    struct unpack u = {.p = (const unsigned char *)choice->p, .n = choice->n};
    *name = unpack_u64(&u);
    unpack_u32(&u);
    *choice = (struct str){(const char *)u.p, u.n};
    return !u.bad;
}

struct str blocks_name(const struct blocks *b, uint64_t name)
{
    uint32_t i = find_name(b, name);
    return i < b->n ? get_by_name(b, i).qualified : STR("");
}

bool blocks_hash(const struct blocks *b, struct str choice, struct hash128 *out)
{
    struct unpack u = {.p = (const unsigned char *)choice.p, .n = choice.n};
    struct hasher *h = hasher_new();
    bool all = true;
    uint32_t i = 0;
    hasher_hash(h, b->definition);
    while (u.n && !u.bad) {
        uint64_t name = unpack_u64(&u);
        unpack_u32(&u);
        while (i < b->n && name_at(b, i) < name) /* both ascend */
            i++;
        all = all && i < b->n && name_at(b, i) == name;
        hasher_u64(h, name);
        for (; i < b->n && name_at(b, i) == name; i++)
            hasher_hash(h, get_by_name(b, i).hash);
    }
    *out = hasher_done(h);
    return all;
}

bool blocks_changed(const struct blocks *b, struct str choice, struct str *name)
{
    struct unpack u = {.p = (const unsigned char *)choice.p, .n = choice.n};
    while (u.n && !u.bad) {
        uint64_t hash = unpack_u64(&u);
        uint32_t hint = unpack_u32(&u), i = find_name(b, hash);
        *name = blocks_name(b, hash);
        if (i == b->n || hint_of(b, hash) != hint)
            return true;
    }
    return false;
}
