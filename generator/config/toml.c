#include "generator/config/toml.h"

#include <stdlib.h>
#include <string.h>
#include <tree_sitter/api.h>
#include <versions.h>

const TSLanguage *tree_sitter_toml(void);

enum { MAX_NESTING = 64 };

struct reader {
    struct str path, text;
    struct arena *arena;
    struct err *err;
};

static bool fail(struct reader *x, TSNode at, const char *what)
{
    TSPoint p = ts_node_start_point(at);
    return err_set(x->err, "%.*s: %s (at line %u, column %u)", (int)x->path.n, x->path.p, what,
                   p.row + 1, p.column + 1);
}

static struct str node_text(const struct reader *x, TSNode n)
{
    return str_slice(x->text, ts_node_start_byte(n), ts_node_end_byte(n));
}

static bool is(TSNode n, const char *type)
{
    return strcmp(ts_node_type(n), type) == 0;
}

static void put_utf8(struct buf *b, unsigned long c)
{
    if (c < 0x80) {
        buf_char(b, (char)c);
    } else if (c < 0x800) {
        buf_char(b, (char)(0xc0 | c >> 6));
    } else if (c < 0x10000) {
        buf_char(b, (char)(0xe0 | c >> 12));
        buf_char(b, (char)(0x80 | (c >> 6 & 63)));
    } else {
        buf_char(b, (char)(0xf0 | c >> 18));
        buf_char(b, (char)(0x80 | (c >> 12 & 63)));
        buf_char(b, (char)(0x80 | (c >> 6 & 63)));
    }
    if (c >= 0x80)
        buf_char(b, (char)(0x80 | (c & 63)));
}

/* The escape at s.p[i] (behind the backslash); returns what it took, 0 for a bad one. */
static size_t escape(struct buf *out, struct str s, size_t i)
{
    static const char from[] = "btnfre\"\\", to[] = "\b\t\n\f\r\033\"\\";
    const char *hit = s.p[i] ? strchr(from, s.p[i]) : NULL;
    if (hit) {
        buf_char(out, to[hit - from]);
        return 1;
    }
    size_t digits = s.p[i] == 'u' ? 4 : s.p[i] == 'U' ? 8 : s.p[i] == 'x' ? 2 : 0;
    unsigned long code = 0;
    for (size_t k = 1; k <= digits; k++) {
        const char *set = "0123456789abcdef", *d;
        if (i + k >= s.n || !s.p[i + k])
            return 0;
        d = strchr(set, s.p[i + k] >= 'A' && s.p[i + k] <= 'F' ? s.p[i + k] + 32 : s.p[i + k]);
        if (!d)
            return 0;
        code = code << 4 | (unsigned long)(d - set);
    }
    if (!digits || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    put_utf8(out, code);
    return digits + 1;
}

/* A backslash at the end of a line swallows it and the white space that follows. */
static size_t line_ending(struct str s, size_t i)
{
    size_t k = i;
    while (k < s.n && (s.p[k] == ' ' || s.p[k] == '\t' || s.p[k] == '\r'))
        k++;
    if (k >= s.n || s.p[k] != '\n')
        return 0;
    while (k < s.n && strchr(" \t\r\n", s.p[k]) && s.p[k])
        k++;
    return k - i;
}

static bool unescape(struct reader *x, struct str s, bool is_long, struct str *out)
{
    struct buf b = {0};
    bool ok = true;
    for (size_t i = 0; i < s.n && ok; i++) {
        if (s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
            continue; /* Python reads the file with universal newlines */
        if (s.p[i] != '\\') {
            buf_char(&b, s.p[i]);
            continue;
        }
        size_t skip = is_long ? line_ending(s, i + 1) : 0;
        size_t took = skip ? skip : i + 1 < s.n ? escape(&b, s, i + 1) : 0;
        ok = took > 0;
        i += took;
    }
    *out = (struct str){arena_dup(x->arena, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return ok;
}

/* The bytes of a string or quoted key with its quotes. */
static bool string_of(struct reader *x, struct str raw, struct str *out)
{
    if (raw.n < 2)
        return false;
    char quote = raw.p[0];
    bool is_long = raw.n >= 6 && raw.p[1] == quote && raw.p[2] == quote;
    size_t edge = is_long ? 3 : 1;
    struct str s = str_slice(raw, edge, raw.n - edge);
    if (is_long && s.n && s.p[0] == '\r')
        s = str_slice(s, 1, s.n);
    if (is_long && s.n && s.p[0] == '\n')
        s = str_slice(s, 1, s.n);
    if (quote == '"')
        return unescape(x, s, is_long, out);
    *out = (struct str){arena_dup(x->arena, s.p, s.n), s.n};
    return true;
}

const struct toml_value *toml_get(const struct toml_value *table, struct str key)
{
    if (!table || table->type != TOML_TABLE)
        return NULL;
    for (const struct toml_value *v = table->first; v; v = v->next)
        if (str_eq(v->key, key))
            return v;
    return NULL;
}

struct toml_value *toml_add(struct toml_value *parent, struct str key, enum toml_type type, uint32_t line,
                            struct arena *a)
{
    struct toml_value *v = arena_alloc(a, sizeof *v);
    *v = (struct toml_value){.type = type, .key = key, .text = STR(""), .line = line};
    if (parent->last)
        parent->last->next = v;
    else
        parent->first = v;
    parent->last = v;
    return v;
}

static struct toml_value *add(struct reader *x, struct toml_value *parent, struct str key,
                              enum toml_type type, TSNode at)
{
    return toml_add(parent, key, type, ts_node_start_point(at).row + 1, x->arena);
}

static bool key_text(struct reader *x, TSNode n, struct str *out)
{
    struct str raw = node_text(x, n);
    if (is(n, "quoted_key"))
        return string_of(x, raw, out) || fail(x, n, "Unescaped '\\' in a string");
    *out = (struct str){arena_dup(x->arena, raw.p ? raw.p : "", raw.n), raw.n};
    return true;
}

/* The table called `key` below *t, made when it is not there; of an array of tables the last. */
static bool enter(struct reader *x, struct toml_value **t, TSNode key_node, bool by_header)
{
    struct str key;
    if (!key_text(x, key_node, &key))
        return false;
    struct toml_value *v = (struct toml_value *)(uintptr_t)toml_get(*t, key);
    if (!v)
        v = add(x, *t, key, TOML_TABLE, key_node);
    if (v->type == TOML_ARRAY && by_header && v->last && !v->frozen)
        v = v->last;
    if (v->type != TOML_TABLE || v->frozen || (v->headed && !by_header))
        return fail(x, key_node, "Cannot overwrite a value");
    *t = v;
    return true;
}

/* The table that holds the last part of a key, which goes to *last. */
static bool walk_key(struct reader *x, TSNode n, struct toml_value **t, TSNode *last, bool by_header)
{
    TSNode parts[MAX_NESTING];
    size_t count = 0;
    while (is(n, "dotted_key")) { /* ((a . b) . c) */
        uint32_t children = ts_node_named_child_count(n);
        if (children < 2 || count + children > MAX_NESTING)
            return fail(x, n, "Invalid key");
        for (uint32_t i = children; i-- > 1;)
            parts[count++] = ts_node_named_child(n, i);
        n = ts_node_named_child(n, 0);
    }
    parts[count++] = n;
    while (count > 1)
        if (!enter(x, t, parts[--count], by_header))
            return false;
    *last = parts[0];
    return true;
}

static bool fill(struct reader *x, struct toml_value *v, TSNode n, int depth);

static bool pair(struct reader *x, struct toml_value *table, TSNode n, int depth)
{
    TSNode last;
    struct str key;
    if (ts_node_named_child_count(n) < 2)
        return fail(x, n, "Invalid value");
    if (!walk_key(x, ts_node_named_child(n, 0), &table, &last, false) || !key_text(x, last, &key))
        return false;
    if (toml_get(table, key))
        return fail(x, last, "Cannot overwrite a value");
    uint32_t at = ts_node_named_child_count(n) - 1;
    while (at > 1 && is(ts_node_named_child(n, at), "comment"))
        at--;
    TSNode value = ts_node_named_child(n, at);
    return fill(x, add(x, table, key, TOML_STRING, n), value, depth);
}

static bool fill_parts(struct reader *x, struct toml_value *v, TSNode n, int depth)
{
    if (depth > MAX_NESTING)
        return fail(x, n, "Nested too deeply");
    TSTreeCursor c = ts_tree_cursor_new(n);
    bool ok = true, more = ts_tree_cursor_goto_first_child(&c);
    for (; ok && more; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode child = ts_tree_cursor_current_node(&c);
        if (!ts_node_is_named(child) || is(child, "comment"))
            continue;
        ok = v->type == TOML_TABLE ? pair(x, v, child, depth + 1)
                                   : fill(x, add(x, v, STR(""), TOML_STRING, child), child, depth + 1);
    }
    ts_tree_cursor_delete(&c);
    v->frozen = true;
    return ok;
}

static bool fill(struct reader *x, struct toml_value *v, TSNode n, int depth)
{
    static const struct { const char *name; enum toml_type type; } types[] = {
        {"string", TOML_STRING}, {"boolean", TOML_BOOL}, {"integer", TOML_INT}, {"float", TOML_FLOAT},
        {"array", TOML_ARRAY}, {"inline_table", TOML_TABLE},
    };
    struct str raw = node_text(x, n);
    v->type = TOML_DATE;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (is(n, types[i].name))
            v->type = types[i].type;
    if (v->type == TOML_ARRAY || v->type == TOML_TABLE)
        return fill_parts(x, v, n, depth);
    if (v->type == TOML_STRING)
        return string_of(x, raw, &v->text) || fail(x, n, "Unescaped '\\' in a string");
    v->text = (struct str){arena_dup(x->arena, raw.p ? raw.p : "", raw.n), raw.n};
    return true;
}

/* [a.b] or [[a.b]]: the table whose pairs follow. */
static bool open_table(struct reader *x, struct toml_value *root, TSNode n, struct toml_value **out)
{
    TSNode last;
    struct str key;
    struct toml_value *t = root;
    bool is_array = is(n, "table_array_element");
    if (ts_node_named_child_count(n) == 0)
        return fail(x, n, "Invalid initial character for a key part");
    if (!walk_key(x, ts_node_named_child(n, 0), &t, &last, true) || !key_text(x, last, &key))
        return false;
    struct toml_value *v = (struct toml_value *)(uintptr_t)toml_get(t, key);
    if (v && (v->frozen || v->headed || v->type != (is_array ? TOML_ARRAY : TOML_TABLE)))
        return fail(x, last, "Cannot declare a table twice");
    if (!v)
        v = add(x, t, key, is_array ? TOML_ARRAY : TOML_TABLE, n);
    if (is_array)
        v = add(x, v, STR(""), TOML_TABLE, n);
    else
        v->headed = true;
    *out = v;
    return true;
}

static bool table(struct reader *x, struct toml_value *root, TSNode n)
{
    struct toml_value *t = NULL;
    if (!open_table(x, root, n, &t))
        return false;
    TSTreeCursor c = ts_tree_cursor_new(n);
    bool ok = true, more = ts_tree_cursor_goto_first_child(&c);
    for (; ok && more; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode child = ts_tree_cursor_current_node(&c);
        if (is(child, "pair"))
            ok = pair(x, t, child, 0);
    }
    ts_tree_cursor_delete(&c);
    return ok;
}

/* The first ERROR or MISSING node, without recursion: the document may nest deeply. */
static TSNode first_error(TSNode root)
{
    TSNode found = root;
    TSTreeCursor c = ts_tree_cursor_new(root);
    bool more = true;
    while (more) {
        TSNode n = ts_tree_cursor_current_node(&c);
        found = n;
        if (ts_node_is_error(n) || ts_node_is_missing(n))
            break;
        if (ts_node_has_error(n) && ts_tree_cursor_goto_first_child(&c))
            continue;
        more = ts_tree_cursor_goto_next_sibling(&c);
    }
    ts_tree_cursor_delete(&c);
    return found;
}

static bool document(struct reader *x, struct toml_value *root, TSNode n)
{
    if (ts_node_has_error(n))
        return fail(x, first_error(n), "Invalid statement");
    TSTreeCursor c = ts_tree_cursor_new(n);
    bool ok = true, more = ts_tree_cursor_goto_first_child(&c);
    for (; ok && more; more = ts_tree_cursor_goto_next_sibling(&c)) {
        TSNode child = ts_tree_cursor_current_node(&c);
        if (is(child, "pair"))
            ok = pair(x, root, child, 0);
        else if (is(child, "table") || is(child, "table_array_element"))
            ok = table(x, root, child);
    }
    ts_tree_cursor_delete(&c);
    return ok;
}

bool toml_parse(struct toml_value *root, struct str path, struct str text, struct arena *a,
                struct err *err)
{
    struct reader x = {path, text, a, err};
    *root = (struct toml_value){.type = TOML_TABLE, .key = STR(""), .text = STR("")};
    if (text.n >= UINT32_MAX)
        return err_set(err, "%.*s: too large", (int)path.n, path.p);
    if (str_trim(text).n == 0)
        return true;
    TSParser *p = ts_parser_new();
    ts_parser_set_language(p, tree_sitter_toml());
    TSTree *tree = ts_parser_parse_string(p, NULL, text.p, (uint32_t)text.n);
    bool ok = tree ? document(&x, root, ts_tree_root_node(tree))
                   : err_set(err, "%.*s: cannot be parsed", (int)path.n, path.p);
    ts_tree_delete(tree);
    ts_parser_delete(p);
    return ok;
}

bool toml_parse_tool(struct toml_value *root, struct str path, struct str text, struct arena *a,
                     struct err *err)
{
    struct buf cut = {0};
    bool sure = toml_scan(text, &cut);
    bool ok = (sure && toml_plain(root, cut.n ? buf_view(&cut) : STR(""), a)) ||
              toml_parse(root, path, sure ? buf_view(&cut) : text, a, err);
    buf_release(&cut);
    return ok;
}

const char *toml_version(void)
{
    return TREE_SITTER_TOML_VERSION;
}
