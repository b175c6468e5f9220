#include "generator/source/lines.h"

#include "generator/source/token.h"

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

/* By their first letter, of which there are two at most. */
#define W(text, flag) {{text, sizeof text - 1}, flag}
static const struct flagged { struct str word; uint32_t flag; } words[256][2] = {
    ['_'] = {W("__dict__", WORD_SETS)},       ['c'] = {W("class", WORD_CLASS)},
    ['e'] = {W("exec", WORD_NAMESPACE)},      ['f'] = {W("fixture", WORD_FIXTURE)},
    ['g'] = {W("globals", WORD_NAMESPACE)},   ['l'] = {W("lambda", WORD_LAMBDA), W("locals", WORD_SETS)},
    ['m'] = {W("modules", WORD_NAMESPACE)},   ['s'] = {W("setattr", WORD_SETS)},
    ['u'] = {W("update_wrapper", WORD_WRAPS)}, ['v'] = {W("vars", WORD_SETS)},
    ['w'] = {W("wraps", WORD_WRAPS)},         ['y'] = {W("yield", WORD_YIELD)},
};
#undef W
#define W(text) {text, sizeof text - 1}
static const struct str mutators[] = {
    W("append"), W("extend"), W("insert"), W("update"), W("pop"), W("remove"), W("add"),
    W("clear"), W("sort"), W("reverse"), W("setdefault"), W("popitem"), W("discard"),
};
#undef W

struct lines lines_of(struct str text)
{
    return (struct lines){.p = text.p, .end = text.p + text.n};
}

static const char *skip_word(const char *p, const char *end)
{
    while (p < end && classes[(unsigned char)*p] == WORD)
        p++;
    return p;
}

/* Is a word that stands before a quote its prefix? *formatted: an f or a t is in it. */
static bool is_prefix(struct str word, bool *formatted)
{
    *formatted = false;
    for (size_t i = 0; i < word.n; i++) {
        char c = (char)(word.p[i] | 32);
        if (word.n > 3 || !strchr("rbuft", c))
            return false;
        *formatted = *formatted || c == 'f' || c == 't';
    }
    return true;
}

/* Past the string at p; NULL when it is odd. */
static const char *cut_string(struct lines *x, const char *p, bool formatted)
{
    const char *end = token_string_end(p, x->end, formatted);
    for (const char *q = p; end && (q = memchr(q, '\n', (size_t)(end - q))); q++)
        x->row++;
    return end;
}

/* name.append( : name is a whole expression, not the end of one. */
static void note_mutation(struct lines *x, const struct line *l, struct str word)
{
    const char *p = word.p - 1, *end = p;
    size_t i = 0, n = sizeof mutators / sizeof *mutators;
    while (i < n && !str_eq(word, mutators[i]))
        i++;
    while (p > l->body && classes[(unsigned char)p[-1]] == WORD)
        p--;
    if (i < n && p < end && (p == l->body || p[-1] != '.'))
        strs_add(x->mutated, (struct str){p, (size_t)(end - p)});
}

static uint32_t word_flag(struct str word)
{
    const struct flagged *row = words[(unsigned char)*word.p];
    for (int i = 0; i < 2; i++)
        if (str_eq(word, row[i].word))
            return row[i].flag;
    return 0;
}

/* Past the word at p, or the string whose prefix it is; NULL when that is odd. */
static const char *cut_word(struct lines *x, struct line *l, const char *p, bool outside, int *lambdas)
{
    const char *after = skip_word(p, x->end);
    struct str word = {p, (size_t)(after - p)};
    bool formatted;
    char next = after < x->end ? *after : '\0';
    if ((next == '"' || next == '\'') && is_prefix(word, &formatted))
        return cut_string(x, after, formatted);
    if (words[(unsigned char)*p]->word.n && word.n >= 4) {
        uint32_t flag = word_flag(word);
        l->words |= flag;
        *lambdas += flag == WORD_LAMBDA && outside;
    }
    if (next == '(' && x->mutated && word.n >= 3 && p - 1 > l->body && p[-1] == '.')
        note_mutation(x, l, word);
    return after;
}

/* Past the comment at p; NULL when it is odd. */
static const char *cut_comment(const struct lines *x, const char *p)
{
    const char *end = memchr(p, '\n', (size_t)(x->end - p));
    if (!end)
        end = x->end;
    size_t n = (size_t)(end - p);
    return memchr(p, '\r', n) || memchr(p, '\0', n) ? NULL : end;
}

/* One logical line from its first token on: where it ends, NULL when it is odd. */
static const char *cut_line(struct lines *x, struct line *l)
{
    int depth = 0, lambdas = 0;
    const char *p = x->p, *end = x->end;
    while (p < end) {
        unsigned char class = classes[(unsigned char)*p];
        switch ((enum char_class)class) {
        case WORD:
            p = cut_word(x, l, p, depth == 0, &lambdas);
            if (!p)
                return NULL;
            l->text_end = p;
            p += p < end && *p == ' ';
            continue;
        case PLAIN:
            p++;
            break;
        case BLANK:
            p++;
            continue;
        case QUOTE:
            p = cut_string(x, p, false);
            if (!p)
                return NULL;
            break;
        case OPEN:
            depth++;
            p++;
            break;
        case CLOSE:
            if (--depth < 0)
                return NULL;
            p++;
            break;
        case COLON:
            if (depth == 0 && lambdas > 0)
                lambdas--;
            else if (depth == 0 && !l->colon && !(p + 1 < end && p[1] == '='))
                l->colon = p;
            p++;
            break;
        case SEMI:
            if (depth == 0 && l->n_semicolons == LINE_SEMICOLONS)
                return NULL;
            if (depth == 0)
                l->semicolons[l->n_semicolons++] = p;
            p++;
            break;
        case HASH:
            p = cut_comment(x, p);
            if (!p)
                return NULL;
            continue;
        case BACKSLASH:
            if (end - p < 3 || p[1] != '\n')
                return NULL;
            p += 2;
            x->row++;
            continue;
        case NEWLINE:
            p++;
            x->row++;
            if (depth == 0)
                return p;
            while (p < end && *p == ' ')
                p++;
            continue;
        case ODD:
            return NULL;
        }
        l->text_end = p;
    }
    return depth == 0 ? p : NULL;
}

/* Blank lines and comments before it; false at the end of the text or when it is odd. */
static bool find_body(struct lines *x, struct line *l)
{
    const char *p = x->p, *end = x->end;
    for (; p < end; p++, x->row++) {
        uint32_t tabs = 0;
        l->start = p;
        while (p < end && *p == ' ')
            p++;
        for (; p < end && (*p == ' ' || *p == '\t'); p++)
            tabs += *p == '\t';
        uint32_t blanks = (uint32_t)(p - l->start) - tabs;
        if (p < end && *p == '#') {
            p = memchr(p, '\n', (size_t)(end - p));
            p = p ? p : end;
        }
        if (p == end || *p != '\n') {
            l->indent = blanks + 8 * tabs;
            x->odd = p < end && tabs && blanks;
            break;
        }
    }
    x->p = p;
    return p < end && !x->odd;
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
        bool augmented = p + 1 < l->text_end && p[1] == '=' && strchr("+-*|&", *p);
        if (*p == '[' || augmented)
            strs_add(x->mutated, word);
    }
}

bool lines_next(struct lines *x, struct line *l)
{
    l->colon = NULL;
    l->n_semicolons = l->words = 0;
    if (x->odd || !find_body(x, l))
        return false;
    l->body = l->text_end = x->p;
    l->row = x->row;
    l->end = cut_line(x, l);
    if (!l->end) {
        x->odd = true;
        return false;
    }
    x->p = l->end;
    if (x->mutated)
        note_statement(x, l);
    return true;
}

struct str line_word(const struct line *l)
{
    return (struct str){l->body, (size_t)(skip_word(l->body, l->text_end) - l->body)};
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
