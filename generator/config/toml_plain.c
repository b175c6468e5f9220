#include "generator/config/toml.h"

#include <string.h>

enum { MAX_NESTING = 16 };

struct plain {
    const char *p, *end;
    uint32_t line;       /* from 1 */
    struct arena *arena;
};

static bool at(const struct plain *x, char c)
{
    return x->p < x->end && *x->p == c;
}

static void blanks(struct plain *x)
{
    while (at(x, ' ') || at(x, '\t'))
        x->p++;
}

/* Blanks, comments and ends of lines. */
static void space(struct plain *x)
{
    for (blanks(x); at(x, '#') || at(x, '\n'); blanks(x)) {
        const char *nl = memchr(x->p, '\n', (size_t)(x->end - x->p));
        x->line += nl != NULL;
        x->p = nl ? nl + 1 : x->end;
    }
}

/* To the end of the line, where nothing but a comment may be. */
static bool end_of_line(struct plain *x)
{
    uint32_t line = x->line;
    space(x);
    return x->line > line || x->p == x->end;
}

static struct toml_value *add(struct plain *x, struct toml_value *parent, struct str key, enum toml_type type)
{
    return toml_add(parent, key, type, x->line, x->arena);
}

static struct str keep(struct plain *x, struct str s)
{
    return (struct str){arena_dup(x->arena, s.p, s.n), s.n};
}

/* A string on one line. */
static bool string(struct plain *x, struct toml_value *v)
{
    const char *start = x->p;
    char quote = *x->p;
    for (x->p++; x->p < x->end && *x->p != quote; x->p++)
        if (*x->p == '\n' || *x->p == '\\')
            return false;
    if (x->p == x->end || (x->p == start + 1 && x->p + 1 < x->end && x->p[1] == quote)) /* """ */
        return false;
    v->type = TOML_STRING;
    v->text = keep(x, (struct str){start + 1, (size_t)(x->p - start) - 1});
    x->p++;
    return true;
}

/* true, false, or a whole number in its usual form. */
static bool word(struct plain *x, struct toml_value *v)
{
    struct str w = {x->p, 0};
    while (x->p < x->end && !strchr(" \t\n,]#", *x->p))
        x->p++;
    w.n = (size_t)(x->p - w.p);
    bool truth = str_eq(w, STR("true")) || str_eq(w, STR("false"));
    bool number = w.n && (*w.p != '0' || w.n == 1);
    for (size_t i = 0; i < w.n && number; i++)
        number = w.p[i] >= '0' && w.p[i] <= '9';
    v->type = truth ? TOML_BOOL : TOML_INT;
    v->text = keep(x, w);
    return truth || number;
}

static bool value(struct plain *x, struct toml_value *v, int depth)
{
    if (at(x, '"') || at(x, '\''))
        return string(x, v);
    if (!at(x, '['))
        return word(x, v);
    v->type = TOML_ARRAY;
    x->p++;
    for (space(x); !at(x, ']'); space(x)) {
        if (depth == MAX_NESTING || x->p == x->end || !value(x, add(x, v, STR(""), TOML_STRING), depth + 1))
            return false;
        space(x);
        if (at(x, ','))
            x->p++;
        else if (!at(x, ']'))
            return false;
    }
    x->p++;
    v->frozen = true;
    return true;
}

static bool bare_key(struct plain *x, struct str *key)
{
    const char *p = x->p;
    if (p < x->end && (*p == '"' || *p == '\''))
        return false;
    if (!toml_scan_key(&x->p, x->end, key))
        return false;
    *key = keep(x, *key);
    return true;
}

/* [a.b]: tables that are not there, or are only there because another one is in them. */
static bool header(struct plain *x, struct toml_value *root, struct toml_value **table)
{
    struct toml_value *t = root;
    struct str key;
    do {
        x->p++;
        blanks(x);
        if (!bare_key(x, &key))
            return false;
        struct toml_value *v = (struct toml_value *)(uintptr_t)toml_get(t, key);
        t = v ? v : add(x, t, key, TOML_TABLE);
        if (t->type != TOML_TABLE)
            return false;
    } while (at(x, '.'));
    if (!at(x, ']') || t->headed)
        return false;
    t->headed = true;
    *table = t;
    x->p++;
    return end_of_line(x);
}

static bool pair(struct plain *x, struct toml_value *table)
{
    struct str key;
    if (!bare_key(x, &key) || !at(x, '=') || toml_get(table, key))
        return false;
    x->p++;
    blanks(x);
    return value(x, add(x, table, key, TOML_STRING), 0) && end_of_line(x);
}

/* Tabs and ends of lines are the only control characters, and there is nothing beyond ASCII. */
static bool is_plain_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t' && c != '\n') || c >= 0x7f)
            return false;
    }
    return true;
}

bool toml_plain(struct toml_value *root, struct str text, struct arena *a)
{
    struct plain x = {.p = text.p, .end = text.p + text.n, .line = 1, .arena = a};
    struct toml_value *table = root;
    *root = (struct toml_value){.type = TOML_TABLE, .key = STR(""), .text = STR("")};
    if (!is_plain_text(text))
        return false;
    for (space(&x); x.p < x.end; space(&x))
        if (!(at(&x, '[') ? header(&x, root, &table) : pair(&x, table)))
            return false;
    return true;
}
