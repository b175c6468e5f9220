#include "generator/lines.h"

#include "generator/token.h"

#include <string.h>

enum char_class { PLAIN, WORD, NEWLINE, HASH, QUOTE, BACKSLASH, OPEN, CLOSE, COLON, SEMI, BLANK, ODD };
#define LETTERS(c) [c] = WORD, [c + 1] = WORD, [c + 2] = WORD, [c + 3] = WORD, [c + 4] = WORD, \
                   [c + 5] = WORD, [c + 6] = WORD, [c + 7] = WORD
#define HIGH(c) LETTERS(c), LETTERS(c + 8), LETTERS(c + 16), LETTERS(c + 24)
static const unsigned char classes[256] = {
    LETTERS('a'), LETTERS('i'), LETTERS('q'), ['y'] = WORD, ['z'] = WORD,
    LETTERS('A'), LETTERS('I'), LETTERS('Q'), ['Y'] = WORD, ['Z'] = WORD, ['_'] = WORD,
    LETTERS('0'), ['8'] = WORD, ['9'] = WORD, HIGH(0x80), HIGH(0xa0), HIGH(0xc0), HIGH(0xe0),
    ['\n'] = NEWLINE, ['#'] = HASH, ['"'] = QUOTE, ['\''] = QUOTE, ['\\'] = BACKSLASH,
    ['('] = OPEN, ['['] = OPEN, ['{'] = OPEN, [')'] = CLOSE, [']'] = CLOSE, ['}'] = CLOSE,
    [':'] = COLON, [';'] = SEMI, [' '] = BLANK, ['\t'] = BLANK,
    ['\0'] = ODD, ['\r'] = ODD, ['\f'] = ODD, ['\v'] = ODD, ['`'] = ODD, ['$'] = ODD, ['?'] = ODD,
    [0x7f] = ODD,
};

#define W(text, flag) {{text, sizeof text - 1}, flag}
static const struct { struct str word; uint32_t flag; } words[] = {
    W("yield", WORD_YIELD),       W("globals", WORD_NAMESPACE), W("locals", WORD_SETS),
    W("vars", WORD_SETS),         W("exec", WORD_NAMESPACE),    W("setattr", WORD_SETS),
    W("__dict__", WORD_SETS),     W("modules", WORD_NAMESPACE), W("wraps", WORD_WRAPS),
    W("update_wrapper", WORD_WRAPS), W("lambda", WORD_LAMBDA),
};
/* The letters that they begin with. */
static const bool begins[256] = {['y'] = true, ['g'] = true, ['l'] = true, ['v'] = true, ['e'] = true,
                                 ['s'] = true, ['_'] = true, ['m'] = true, ['w'] = true, ['u'] = true};

static const struct { struct str word; uint32_t flag; } mutators[] = {
    W("append", 1), W("extend", 1), W("insert", 1), W("update", 1), W("pop", 1), W("remove", 1), W("add", 1),
    W("clear", 1), W("sort", 1), W("reverse", 1), W("setdefault", 1), W("popitem", 1), W("discard", 1),
};
#undef W

struct lines lines_of(struct str text)
{
    return (struct lines){.p = text.p, .end = text.p + text.n};
}

static bool is_prefix(struct str word)
{
    if (word.n > 3)
        return false;
    for (size_t i = 0; i < word.n; i++)
        if (!strchr("rRbBuUfFtT", word.p[i]))
            return false;
    return true;
}

static bool is_formatted(struct str prefix)
{
    for (size_t i = 0; i < prefix.n; i++)
        if (strchr("fFtT", prefix.p[i]))
            return true;
    return false;
}

static bool cut_string(struct lines *x, struct str prefix)
{
    const char *end = token_string_end(x->p, x->end, is_formatted(prefix));
    if (!end)
        return false;
    for (const char *q = x->p; (q = memchr(q, '\n', (size_t)(end - q))); q++)
        x->row++;
    x->p = end;
    return true;
}

/* name.append( : name is a whole expression, not the end of one. */
static void note_mutation(struct lines *x, const struct line *l, struct str word)
{
    const char *p = word.p - 1;
    if (p <= l->body || *p != '.' || word.p + word.n >= x->end || word.p[word.n] != '(')
        return;
    for (size_t i = 0; i < sizeof mutators / sizeof *mutators; i++) {
        if (!str_eq(word, mutators[i].word))
            continue;
        const char *end = p;
        while (p > l->body && classes[(unsigned char)p[-1]] == WORD)
            p--;
        if (p < end && (p == l->body || p[-1] != '.'))
            strs_add(x->mutated, (struct str){p, (size_t)(end - p)});
    }
}

static uint32_t word_flag(struct str word)
{
    if (!begins[(unsigned char)word.p[0]] || word.n > 14)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (word.n == words[i].word.n && memcmp(word.p, words[i].word.p, word.n) == 0)
            return words[i].flag;
    return 0;
}

static bool cut_word(struct lines *x, struct line *l, int depth, int *lambdas)
{
    struct str word = {x->p, 0};
    while (x->p < x->end && classes[(unsigned char)*x->p] == WORD)
        x->p++;
    word.n = (size_t)(x->p - word.p);
    if (x->p < x->end && (*x->p == '"' || *x->p == '\'') && is_prefix(word))
        return cut_string(x, word);
    if (word.n < 4)
        return x->mutated && word.n == 3 ? (note_mutation(x, l, word), true) : true;
    uint32_t flag = word_flag(word);
    l->words |= flag;
    if (flag == WORD_LAMBDA && depth == 0)
        ++*lambdas;
    if (x->mutated)
        note_mutation(x, l, word);
    return true;
}

/* One logical line from its first token on; false when it is odd. */
static bool cut_line(struct lines *x, struct line *l)
{
    int depth = 0, lambdas = 0;
    while (x->p < x->end) {
        unsigned char class = classes[(unsigned char)*x->p];
        switch ((enum char_class)class) {
        case PLAIN:
            x->p++;
            break;
        case BLANK:
            x->p++;
            continue;
        case WORD:
            if (!cut_word(x, l, depth, &lambdas))
                return false;
            break;
        case QUOTE:
            if (!cut_string(x, STR("")))
                return false;
            break;
        case OPEN:
        case CLOSE:
            depth += class == OPEN ? 1 : -1;
            x->p++;
            if (depth < 0)
                return false;
            break;
        case COLON:
            if (depth == 0 && lambdas > 0)
                lambdas--;
            else if (depth == 0 && !l->colon && !(x->p + 1 < x->end && x->p[1] == '='))
                l->colon = x->p;
            x->p++;
            break;
        case SEMI:
            if (depth == 0 && l->n_semicolons == LINE_SEMICOLONS)
                return false;
            if (depth == 0)
                l->semicolons[l->n_semicolons++] = x->p;
            x->p++;
            break;
        case HASH:
            while (x->p < x->end && *x->p != '\n') {
                if (*x->p == '\0' || *x->p == '\r')
                    return false;
                x->p++;
            }
            continue;
        case BACKSLASH:
            if (x->end - x->p < 3 || x->p[1] != '\n')
                return false;
            x->p += 2;
            x->row++;
            continue;
        case NEWLINE:
            x->p++;
            x->row++;
            if (depth == 0)
                return true;
            continue;
        case ODD:
            return false;
        }
        l->text_end = x->p;
    }
    return depth == 0;
}

/* Blank lines and comments before it; false at the end of the text or when it is odd. */
static bool find_body(struct lines *x, struct line *l)
{
    while (x->p < x->end) {
        bool tabs = false, blanks = false;
        l->start = x->p;
        l->indent = 0;
        for (; x->p < x->end && (*x->p == ' ' || *x->p == '\t'); x->p++) {
            tabs = tabs || *x->p == '\t';
            blanks = blanks || *x->p == ' ';
            l->indent += *x->p == '\t' ? 8 : 1;
        }
        if (x->p < x->end && *x->p == '#')
            while (x->p < x->end && *x->p != '\n')
                x->p++;
        if (x->p == x->end)
            return false;
        if (*x->p != '\n') {
            x->odd = tabs && blanks;
            return !x->odd;
        }
        x->p++;
        x->row++;
    }
    return false;
}

/* name[…] = … and global name: the names at the beginning of a line. */
static void note_statement(struct lines *x, const struct line *l)
{
    struct str word = line_word(l);
    if (str_eq(word, STR("global")) || str_eq(word, STR("del"))) {
        const char *p = word.p + word.n;
        while (p < l->text_end) {
            const char *start = p;
            while (p < l->text_end && classes[(unsigned char)*p] == WORD)
                p++;
            if (p > start)
                strs_add(x->mutated, (struct str){start, (size_t)(p - start)});
            p++;
        }
    } else if (word.n && word.p + word.n < l->text_end) {
        const char *p = word.p + word.n;
        while (p < l->text_end && *p == ' ')
            p++;
        bool augmented = p + 1 < l->text_end && strchr("+-*|&", *p) && p[1] == '=';
        if (*p == '[' || augmented)
            strs_add(x->mutated, word);
    }
}

bool lines_next(struct lines *x, struct line *l)
{
    *l = (struct line){0};
    if (x->odd || !find_body(x, l))
        return false;
    l->body = l->text_end = x->p;
    l->row = x->row;
    if (!cut_line(x, l)) {
        x->odd = true;
        return false;
    }
    l->end = x->p;
    if (x->mutated)
        note_statement(x, l);
    return true;
}

struct str line_word(const struct line *l)
{
    struct str word = {l->body, 0};
    while (word.p + word.n < l->text_end && classes[(unsigned char)word.p[word.n]] == WORD)
        word.n++;
    return word;
}

bool line_opens(const struct line *l)
{
    return l->colon && l->colon + 1 == l->text_end;
}

uint32_t lines_words(struct str text, struct strs *mutated)
{
    struct lines x = lines_of(text);
    struct line l;
    struct body_words b = {0};
    x.mutated = mutated;
    while (lines_next(&x, &l))
        body_line(&b, &l);
    return b.words | (x.odd ? WORD_NAMESPACE : 0);
}

void body_line(struct body_words *b, const struct line *l)
{
    struct str word = line_word(l);
    uint32_t found = l->words;
    if (b->nested && l->indent > b->nested_indent) {
        found &= ~(uint32_t)WORD_YIELD;
    } else {
        b->nested = str_eq(word, STR("def")) ||
                    (str_eq(word, STR("async")) && l->body + 9 < l->text_end && memcmp(l->body + 5, " def", 4) == 0);
        b->nested_indent = l->indent;
        if (b->nested && !line_opens(l))
            found &= ~(uint32_t)WORD_YIELD;
    }
    b->words |= found;
    if (b->nested && l->indent > b->nested_indent)
        return;
    if (str_eq(word, STR("return"))) {
        struct str what = str_trim((struct str){l->body + 6, (size_t)(l->text_end - l->body - 6)});
        b->mixed = b->mixed || (b->returned.n && !str_eq(b->returned, what)) || !what.n;
        b->returned = what;
    } else if (!b->nested && l->colon && !line_opens(l)) {
        b->mixed = true; /* "if x: return y" is not looked into */
    }
}

uint32_t body_words(const struct body_words *b, struct str header)
{
    size_t open = str_chr(header, '(');
    struct str first = {header.p + open + 1, 0};
    while (open < header.n && first.p + first.n < header.p + header.n &&
           classes[(unsigned char)first.p[first.n]] == WORD)
        first.n++;
    bool returns = open < header.n && first.n && !b->mixed && str_eq(first, b->returned);
    return b->words | (returns ? WORD_RETURNS : 0);
}
