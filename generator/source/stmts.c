#include "generator/source/stmts.h"

#include "generator/source/token.h"

#include <string.h>

enum { HEAD_BYTES = 12 };

#define W(text) {text, sizeof text - 1}
static const struct { struct str word; enum stmt_kind kind; } blocks[] = {
    {W("def"), STMT_DEF},     {W("if"), STMT_IF},         {W("class"), STMT_CLASS},    {W("with"), STMT_WITH},
    {W("for"), STMT_FOR},     {W("try"), STMT_TRY},       {W("except"), STMT_EXCEPT},  {W("else"), STMT_ELSE},
    {W("elif"), STMT_ELIF},   {W("async"), STMT_DEF},     {W("while"), STMT_WHILE},    {W("case"), STMT_CASE},
    {W("match"), STMT_MATCH}, {W("finally"), STMT_FINALLY},
};
#undef W

static const char *const names[] = {
    [STMT_SIMPLE] = "simple", [STMT_DECORATOR] = "decorator", [STMT_DEF] = "def",
    [STMT_CLASS] = "class",   [STMT_BODY] = "body",           [STMT_IF] = "if",
    [STMT_ELIF] = "elif",     [STMT_ELSE] = "else",           [STMT_FOR] = "for",
    [STMT_WHILE] = "while",   [STMT_TRY] = "try",             [STMT_EXCEPT] = "except",
    [STMT_FINALLY] = "finally", [STMT_WITH] = "with",         [STMT_MATCH] = "match",
    [STMT_CASE] = "case",     [STMT_MUTATED] = "mutated",     [STMT_ERROR] = "error",
};

static void put_u32(char *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (char)(v >> (8 * i));
}

static uint32_t get_u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

void stmts_add(struct buf *out, const struct stmt *s)
{
    char head[HEAD_BYTES] = {(char)s->kind, (char)s->depth, (char)s->words, (char)s->column};
    size_t n = s->text.n > STMT_MAX_TEXT ? 0 : s->text.n;
    put_u32(head + 4, s->line);
    put_u32(head + 8, (uint32_t)n);
    buf_add(out, head, sizeof head);
    buf_add(out, s->text.p, n);
}

bool stmts_next(struct str *rest, struct stmt *s)
{
    if (rest->n < HEAD_BYTES)
        return false;
    const char *p = rest->p;
    uint32_t n = get_u32(p + 8);
    if (n > rest->n - HEAD_BYTES || n > STMT_MAX_TEXT || p[0] < STMT_SIMPLE || p[0] > STMT_ERROR)
        return false;
    *s = (struct stmt){.kind = (uint8_t)p[0], .depth = (uint8_t)p[1], .words = (uint8_t)p[2],
                       .column = (uint8_t)p[3], .line = get_u32(p + 4), .text = {p + HEAD_BYTES, n}};
    *rest = (struct str){p + HEAD_BYTES + n, rest->n - HEAD_BYTES - n};
    return true;
}

enum stmt_kind stmts_block_kind(struct str word)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (word.n == blocks[i].word.n && *word.p == *blocks[i].word.p && str_eq(word, blocks[i].word))
            return blocks[i].kind;
    return (enum stmt_kind)0;
}

const char *stmts_kind_name(enum stmt_kind kind)
{
    return (size_t)kind < sizeof names / sizeof *names && names[kind] ? names[kind] : "?";
}

struct str stmts_returned(struct str body)
{
    enum { MAX_BODY = 2000 };
    struct str s = str_trim(body);
    if (body.n > MAX_BODY)
        return STR("");
    if (s.n && (*s.p == '"' || *s.p == '\'')) {
        const char *end = token_string_end(s.p, s.p + s.n, false);
        s = end ? str_trim((struct str){end, (size_t)(s.p + s.n - end)}) : STR("");
    }
    while (s.n && *s.p == '#')
        s = str_trim(str_slice(s, str_chr(s, '\n'), s.n));
    if (!str_starts(s, STR("return")) || s.n < 8 || !strchr(" (", s.p[6]))
        return STR("");
    return str_trim(str_slice(s, 6, s.n));
}

bool stmts_keeps_body(struct str header, struct str body)
{
    if (stmts_returned(body).n)
        return true;
    struct str rest = str_starts(header, STR("async")) ? str_trim(str_slice(header, 5, header.n)) : header;
    rest = str_trim(str_slice(rest, 3, rest.n));
    return str_starts(rest, STR("pytest_")) || str_contains(rest, STR("items"));
}

bool stmts_is_idle(struct str text)
{
    if (!text.n || str_eq(text, STR("pass")) || str_eq(text, STR("...")))
        return true;
    char quote = text.p[0], last = text.p[text.n - 1];
    if ((quote != '"' && quote != '\'') || last != quote || text.n < 2)
        return false;
    size_t width = text.n >= 6 && text.p[1] == quote && text.p[2] == quote ? 3 : 1;
    struct str inner = str_slice(text, width, text.n - width);
    /* one string, not "a" + "b": the quote does not occur inside */
    return width == 1 ? str_chr(inner, quote) == inner.n
                      : !str_contains(inner, quote == '"' ? STR("\"\"\"") : STR("'''"));
}
