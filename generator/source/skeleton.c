#include "generator/source/skeleton.h"

#include "generator/files/pyname.h"
#include "generator/source/token.h"

#include <string.h>

struct line {
    const char *start, *body; /* the line, and its first token */
    char last;                /* last character that is no blank or comment */
    bool keep;
};

struct cutter {
    const char *p, *end;
    const struct map *words;
    struct buf *out;
    struct str last_pass; /* indentation of the pass just written; p NULL when there is none */
};

static const char *const compounds[] = {"if", "elif", "else", "for", "while", "try", "except",
                                        "finally", "with", "def", "class", "async", "case"};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_prefix(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!strchr("rRbBuUfFtT", word.p[i]))
            return false;
    return word.n <= 3;
}

static bool has_letter(struct str s, const char *letters)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr(letters, s.p[i]))
            return true;
    return false;
}

/* x->p is at a quote. A dotted string may name a module; an f-string may hold a call. */
static bool cut_string(struct cutter *x, struct line *l, struct str prefix)
{
    bool formatted = has_letter(prefix, "fFtT");
    const char *start = x->p, *end = token_string_end(x->p, x->end, formatted);
    if (!end)
        return false;
    size_t width = end - start >= 6 && start[1] == *start && start[2] == *start ? 3 : 1;
    struct str s = {start + width, (size_t)(end - start) - 2 * width};
    if (formatted)
        l->keep = l->keep || str_contains(s, STR("import")) || str_contains(s, STR("exec")) ||
                  str_contains(s, STR("eval")) || str_contains(s, STR("sys."));
    else if (s.n <= 300 && pyname_is_dotted(str_slice(s, 0, str_chr(s, ':')), 1))
        l->keep = true;
    x->p = end;
    l->last = '"';
    return true;
}

static bool cut_word(struct cutter *x, struct line *l)
{
    struct str word = {x->p, 0};
    while (x->p < x->end && is_word(*x->p))
        x->p++;
    word.n = (size_t)(x->p - word.p);
    l->last = 'a';
    if (x->p < x->end && (*x->p == '"' || *x->p == '\'') && is_prefix(word))
        return cut_string(x, l, word);
    uintptr_t *value = map_get(x->words, word);
    if (value && *value == SKELETON_WHOLE)
        return false;
    l->keep = l->keep || value;
    return true;
}

static bool cut_char(struct cutter *x, struct line *l, int *depth)
{
    char c = *x->p;
    if (is_word(c))
        return cut_word(x, l);
    if (c == '"' || c == '\'')
        return cut_string(x, l, STR(""));
    x->p++;
    if (c == '#') {
        while (x->p < x->end && *x->p != '\n')
            x->p++;
        return true;
    }
    if (c == '\\') {
        bool joined = x->p < x->end && *x->p == '\n';
        x->p++;
        return joined;
    }
    if (strchr("\f\v\r`$?", c)) /* finds NUL too */
        return false;
    *depth += strchr("([{", c) ? 1 : strchr(")]}", c) ? -1 : 0;
    if (!strchr(" \t\n", c))
        l->last = c;
    return *depth >= 0;
}

/* One logical line, up to and with its line break. */
static bool cut_line(struct cutter *x, struct line *l)
{
    int depth = 0;
    *l = (struct line){.start = x->p};
    while (x->p < x->end && (*x->p == ' ' || *x->p == '\t'))
        x->p++;
    l->body = x->p;
    while (x->p < x->end && !(*x->p == '\n' && depth == 0))
        if (!cut_char(x, l, &depth))
            return false;
    if (x->p < x->end)
        x->p++;
    return depth == 0;
}

static bool is_compound(const struct line *l, const char *end)
{
    struct str word = {l->body, 0};
    while (word.p + word.n < end && is_word(word.p[word.n]))
        word.n++;
    for (size_t i = 0; i < sizeof compounds / sizeof *compounds; i++)
        if (str_eq(word, str_z(compounds[i])))
            return true;
    return false;
}

static void put_line(struct cutter *x, const struct line *l)
{
    struct str indent = {l->start, (size_t)(l->body - l->start)};
    if (!l->last) /* blank, or a comment */
        return;
    if (l->keep || l->last == ':' || is_compound(l, x->end)) {
        buf_add(x->out, l->start, (size_t)(x->p - l->start));
        if (x->p == x->end)
            buf_char(x->out, '\n');
        x->last_pass.p = NULL;
    } else if (*l->body == '@') {
        buf_str(x->out, indent);
        buf_z(x->out, "@x\n");
        x->last_pass.p = NULL;
    } else if (!x->last_pass.p || !str_eq(indent, x->last_pass)) {
        buf_str(x->out, indent);
        buf_z(x->out, "pass\n");
        x->last_pass = indent;
    }
}

bool skeleton_make(struct buf *out, struct str text, const struct map *words)
{
    struct cutter x = {.p = text.p, .end = text.p + text.n, .words = words, .out = out};
    struct line l;
    size_t before = out->n;
    while (x.p < x.end) {
        if (!cut_line(&x, &l)) {
            out->n = before;
            return false;
        }
        put_line(&x, &l);
    }
    return true;
}
