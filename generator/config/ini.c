#include "generator/config/ini.h"

#include "runtime/base/buf.h"

#include <stdlib.h>
#include <string.h>

struct pass {
    struct ini *ini;
    struct str path, section;
    struct arena *arena;
    struct err *err;
    struct buf value; /* of the entry that is being read */
    uint32_t line;
};

static bool fail(struct pass *x, const char *what, struct str detail)
{
    return err_set(x->err, "%.*s:%u: %s%.*s%s", (int)x->path.n, x->path.p, x->line, what,
                   (int)detail.n, detail.n ? detail.p : "", detail.n ? "'" : "");
}

/* What str.splitlines splits at: the length of the line end at s.p[i], 0 when there is none. */
static size_t line_end(struct str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    if (c == '\r')
        return i + 1 < s.n && s.p[i + 1] == '\n' ? 2 : 1;
    if (c == '\n' || c == '\v' || c == '\f' || (c >= 0x1c && c <= 0x1e))
        return 1;
    if (c == 0xc2 && i + 1 < s.n && (unsigned char)s.p[i + 1] == 0x85)
        return 2;
    if (c == 0xe2 && i + 2 < s.n && (unsigned char)s.p[i + 1] == 0x80 &&
        ((unsigned char)s.p[i + 2] == 0xa8 || (unsigned char)s.p[i + 2] == 0xa9))
        return 3;
    return 0;
}

static bool next_line(struct str *rest, struct str *line)
{
    if (!rest->n)
        return false;
    size_t i = 0, end = 0;
    while (i < rest->n && !(end = line_end(*rest, i)))
        i++;
    *line = str_slice(*rest, 0, i);
    *rest = str_slice(*rest, i + end, rest->n);
    return true;
}

static struct str before(struct str s, char c)
{
    return str_slice(s, 0, str_chr(s, c));
}

static struct str strip_end(struct str s)
{
    struct str t = str_trim(s);
    return t.n ? str_slice(s, 0, (size_t)(t.p + t.n - s.p)) : t;
}

static struct str keep(struct pass *x, struct str s)
{
    return (struct str){arena_dup(x->arena, s.p ? s.p : "", s.n), s.n};
}

/* The value that was read so far belongs to the last entry. */
static void close_value(struct pass *x)
{
    if (x->ini->n && x->ini->items[x->ini->n - 1].name.p)
        x->ini->items[x->ini->n - 1].value = keep(x, buf_view(&x->value));
    buf_clear(&x->value);
}

static void add(struct pass *x, struct str name)
{
    struct ini *ini = x->ini;
    close_value(x);
    ini->items = xgrow(ini->items, &ini->cap, ini->n + 1, sizeof *ini->items);
    ini->items[ini->n++] = (struct ini_entry){x->section, name, STR(""), x->line};
}

static bool section(struct pass *x, struct str name)
{
    if (!name.n)
        return fail(x, "empty section name", STR(""));
    if (ini_has(x->ini, name))
        return fail(x, "duplicate section '", name);
    x->section = keep(x, name);
    add(x, (struct str){NULL, 0});
    return true;
}

static bool has_name(const struct ini *ini, struct str wanted, struct str in_section)
{
    for (size_t i = ini->n; i-- > 0;)
        if (ini->items[i].name.p && str_eq(ini->items[i].name, wanted) &&
            str_eq(ini->items[i].section, in_section))
            return true;
    return false;
}

static bool entry(struct pass *x, struct str line)
{
    size_t cut = str_chr(line, '=');
    if (cut == line.n || str_chr(str_slice(line, 0, cut), ':') < cut)
        cut = str_chr(line, ':');
    if (cut == line.n)
        return fail(x, "unexpected line: '", line);
    if (!x->section.p)
        return fail(x, "no section header defined", STR(""));
    struct str name = str_trim(str_slice(line, 0, cut));
    if (has_name(x->ini, name, x->section))
        return fail(x, "duplicate name '", name);
    add(x, keep(x, name));
    buf_str(&x->value, str_trim(str_slice(line, cut + 1, line.n)));
    return true;
}

static bool continuation(struct pass *x, struct str line)
{
    if (!x->ini->n || !x->ini->items[x->ini->n - 1].name.p)
        return fail(x, "unexpected value continuation", STR(""));
    if (x->value.n)
        buf_char(&x->value, '\n');
    buf_str(&x->value, str_trim(line));
    return true;
}

static bool take_line(struct pass *x, struct str line)
{
    struct str whole = str_trim(line);
    if (!whole.n || whole.p[0] == '#' || whole.p[0] == ';')
        return true;
    line = strip_end(line);
    if (line.p[0] == '[') {
        struct str head = strip_end(before(strip_end(before(line, '#')), ';'));
        if (head.n && head.p[head.n - 1] == ']')
            return section(x, head.n > 2 ? str_slice(head, 1, head.n - 1) : STR(""));
        return continuation(x, line); /* so does iniconfig */
    }
    return whole.p == line.p ? entry(x, line) : continuation(x, line);
}

bool ini_parse(struct ini *ini, struct str path, struct str text, struct arena *a, struct err *err)
{
    struct pass x = {.ini = ini, .path = path, .arena = a, .err = err};
    struct str line;
    bool ok = true;
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.n);
    for (x.line = 1; ok && next_line(&text, &line); x.line++)
        ok = take_line(&x, line);
    close_value(&x);
    buf_release(&x.value);
    return ok;
}

bool ini_has(const struct ini *x, struct str name)
{
    for (size_t i = 0; i < x->n; i++)
        if (!x->items[i].name.p && str_eq(x->items[i].section, name))
            return true;
    return false;
}

void ini_release(struct ini *x)
{
    free(x->items);
    *x = (struct ini){0};
}

/* A quoted part: i stands on the quote; returns the index behind the closing one, 0 on errors. */
static size_t quoted(struct str s, size_t i, struct buf *word, struct err *err)
{
    char quote = s.p[i++];
    for (; i < s.n && s.p[i] != quote; i++) {
        if (s.p[i] == '\\' && quote == '"') {
            if (i + 1 == s.n)
                return err_set(err, "No escaped character");
            if (s.p[i + 1] == '"' || s.p[i + 1] == '\\')
                i++;
        }
        buf_char(word, s.p[i]);
    }
    return i < s.n ? i + 1 : err_set(err, "No closing quotation");
}

static size_t shlex_word(struct str s, size_t i, struct buf *word, struct err *err)
{
    while (i < s.n && !(s.p[i] && strchr(" \t\r\n", s.p[i]))) {
        if (s.p[i] == '\'' || s.p[i] == '"') {
            i = quoted(s, i, word, err);
            if (!i)
                return 0;
        } else if (s.p[i] == '\\') {
            if (++i == s.n)
                return err_set(err, "No escaped character");
            buf_char(word, s.p[i++]);
        } else {
            buf_char(word, s.p[i++]);
        }
    }
    return i;
}

bool ini_shlex(struct str s, struct arena *a, struct strs *out, struct err *err)
{
    struct buf word = {0};
    bool ok = true;
    for (size_t i = 0; ok && i < s.n;) {
        if (s.p[i] && strchr(" \t\r\n", s.p[i])) {
            i++;
            continue;
        }
        buf_clear(&word);
        i = shlex_word(s, i, &word, err);
        ok = i > 0;
        if (ok)
            strs_add(out, (struct str){arena_dup(a, word.p ? word.p : "", word.n), word.n});
    }
    buf_release(&word);
    return ok;
}
