#include "generator/source/split.h"

#include "generator/source/token.h"

#include <string.h>

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (unsigned char)c >= 0x80;
}

/* Past the string whose quote is at p; NULL when it is odd. Its prefix was read already. */
static const char *skip_string(const char *start, const char *p, const char *end)
{
    const char *q = p;
    bool formatted = false;
    while (q > start && p - q < 3 && is_word(q[-1])) {
        q--;
        formatted = formatted || strchr("fFtT", *q);
    }
    return token_string_end(p, end, formatted);
}

/* Past one character, string or comment. NULL when it is odd. */
static const char *pass(struct str s, const char *p)
{
    const char *end = s.p + s.n;
    if (*p == '"' || *p == '\'')
        return skip_string(s.p, p, end);
    if (*p == '#') {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        return nl ? nl : end;
    }
    return p + 1;
}

/* What is not plain inside brackets. */
static const bool special[256] = {['"'] = true, ['\''] = true, ['#'] = true, ['('] = true, ['['] = true,
                                  ['{'] = true, [')'] = true,  [']'] = true, ['}'] = true};

/* The same, and inside brackets past all that is plain. */
static const char *step(struct str s, const char *p, int *depth)
{
    const char *end = s.p + s.n;
    if (!special[(unsigned char)*p]) {
        p++;
        while (*depth > 0 && p < end && !special[(unsigned char)*p])
            p++;
        return p;
    }
    if (*p == '(' || *p == '[' || *p == '{')
        ++*depth;
    else if ((*p == ')' || *p == ']' || *p == '}') && --*depth < 0)
        return NULL;
    return pass(s, p);
}

static bool is_lambda(struct str s, const char *p)
{
    return s.p + s.n - p > 6 && memcmp(p, "lambda", 6) == 0 && !is_word(p[6]) && (p == s.p || !is_word(p[-1]));
}

size_t split_find(struct str s, char c)
{
    int depth = 0, lambdas = 0;
    const char *p = s.p, *end = s.p + s.n;
    while (p && p < end) {
        if (depth == 0 && *p == ':' && lambdas > 0)
            lambdas--;
        else if (depth == 0 && *p == c)
            return (size_t)(p - s.p);
        if (depth == 0 && *p == 'l' && is_lambda(s, p))
            lambdas++;
        p = step(s, p, &depth);
    }
    return p && depth == 0 ? s.n : s.n + 1;
}

size_t split_find_word(struct str s, const char *const *words, size_t n_words)
{
    int depth = 0;
    const char *p = s.p, *end = s.p + s.n;
    while (p && p < end) {
        if (!is_word(*p)) {
            p = step(s, p, &depth);
            continue;
        }
        struct str word = {p, 0};
        while (p < end && is_word(*p))
            p++;
        word.n = (size_t)(p - word.p);
        bool dotted = word.p > s.p && word.p[-1] == '.';
        for (size_t i = 0; i < n_words && depth == 0 && !dotted; i++)
            if (str_eq(word, str_z(words[i])))
                return (size_t)(word.p - s.p);
    }
    return p && depth == 0 ? s.n : s.n + 1;
}

/* Blanks and comments at both ends. */
static struct str trim(struct str s)
{
    s = str_trim(s);
    while (s.n && *s.p == '#')
        s = str_trim(str_slice(s, str_chr(s, '\n'), s.n));
    return s;
}

/* A comma inside a lambda's parameters is not a separator. */
static size_t find_comma(struct str s)
{
    int depth = 0, lambdas = 0;
    const char *p = s.p, *end = s.p + s.n;
    while (p && p < end) {
        if (depth == 0 && *p == ':' && lambdas > 0)
            lambdas--;
        else if (depth == 0 && *p == ',' && lambdas == 0)
            return (size_t)(p - s.p);
        if (depth == 0 && *p == 'l' && is_lambda(s, p))
            lambdas++;
        p = step(s, p, &depth);
    }
    return p && depth == 0 ? s.n : s.n + 1;
}

bool split_next(struct str *rest, struct str *part)
{
    size_t at = find_comma(*rest);
    if (at > rest->n)
        return false;
    *part = trim(str_slice(*rest, 0, at));
    bool last = at == rest->n;
    *rest = str_slice(*rest, at + 1, rest->n);
    return part->n > 0 || !last;
}

bool split_call(struct str s, struct str *callee, struct str *arguments)
{
    int depth = 0;
    const char *p = s.p, *end = s.p + s.n, *open = NULL;
    *callee = s;
    if (!s.n || end[-1] != ')')
        return false;
    while (p && p < end) {
        if (depth == 0 && *p == '(')
            open = p;
        p = step(s, p, &depth);
    }
    if (!p || !open || open == s.p || depth != 0)
        return false;
    *callee = trim((struct str){s.p, (size_t)(open - s.p)});
    *arguments = (struct str){open + 1, (size_t)(end - open - 2)};
    return true;
}

/* Is the '=' at p an assignment's? *from: where the operator begins. */
static bool is_assignment(struct str s, const char *p, const char **from, bool *augmented)
{
    if (p + 1 < s.p + s.n && p[1] == '=')
        return false;
    char before = p > s.p ? p[-1] : '\0';
    if (strchr("=!:", before) && before)
        return false;
    *from = p;
    *augmented = false;
    if (before && strchr("+-*/%@&|^<>", before)) {
        bool twice = p - 1 > s.p && p[-2] == before && strchr("*/<>", before);
        if (!twice && strchr("<>", before))
            return false;
        *from = p - (twice ? 2 : 1);
        *augmented = true;
    }
    return true;
}

bool split_assignment(struct str s, struct split_assignment *a)
{
    int depth = 0;
    const char *p = s.p, *end = s.p + s.n, *start = s.p, *from;
    *a = (struct split_assignment){.value = STR("")};
    while (p && p < end) {
        if (depth == 0 && *p == 'l' && is_lambda(s, p))
            break;
        if (depth == 0 && *p == '=' && p > s.p && p[-1] == '=') {
            p++;
            continue;
        }
        if (depth == 0 && *p == '=' && a->n_targets < 8 && is_assignment(s, p, &from, &a->augmented)) {
            a->targets[a->n_targets++] = trim((struct str){start, (size_t)(from - start)});
            start = p + 1;
        }
        p = step(s, p, &depth);
    }
    if (!p)
        return false;
    struct str last = a->n_targets ? a->targets[0] : s;
    size_t colon = split_find(last, ':');
    if (colon < last.n && a->n_targets <= 1) {
        a->annotation = trim(str_slice(last, colon + 1, last.n));
        a->targets[0] = trim(str_slice(last, 0, colon));
        a->n_targets = 1;
        a->value = start > s.p ? trim((struct str){start, (size_t)(end - start)}) : STR("");
        return true;
    }
    a->value = trim((struct str){start, (size_t)(end - start)});
    return a->n_targets > 0;
}

bool split_word(struct str *rest, struct str *word, bool *dotted)
{
    const char *p = rest->p, *end = rest->p + rest->n;
    char before = '\0';
    while (p && p < end) {
        if (is_word(*p) && !(*p >= '0' && *p <= '9')) {
            const char *start = p;
            while (p < end && is_word(*p))
                p++;
            *word = (struct str){start, (size_t)(p - start)};
            *dotted = before == '.';
            if (p < end && (*p == '"' || *p == '\'') && word->n <= 3)
                continue; /* a string's prefix */
            *rest = (struct str){p, (size_t)(end - p)};
            return true;
        }
        if (*p >= '0' && *p <= '9') {
            while (p < end && (is_word(*p) || *p == '.'))
                p++;
            before = '0';
            continue;
        }
        if (*p != ' ')
            before = *p;
        p = pass(*rest, p);
    }
    return false;
}
