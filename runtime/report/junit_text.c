#include "runtime/report/junit_text.h"

#include "runtime/report/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { MESSAGE_BUDGET = 500 };

static bool xml_allows(uint32_t c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7E) ||
           (c >= 0x80 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
           (c >= 0x10000 && c <= 0x10FFFF);
}

void junit_escape(struct buf *out, struct str s)
{
    struct str raw;
    for (uint32_t c; text_copy_plain(out, &s, &c, &raw);) {
        if (xml_allows(c))
            buf_str(out, raw);
        else
            buf_printf(out, c <= 0xFF ? "#x%02X" : "#x%04X", c);
    }
}

void junit_shorten(struct buf *out, struct str message)
{
    struct str rest = message, line = {0};
    struct buf kept = {0};
    size_t size = 0, remaining = 0, n_kept = 0;
    while (text_next_line(&rest, &line)) {
        size_t n = text_length(line) + 1;
        if (remaining > 0 || (n_kept > 0 && size + n > MESSAGE_BUDGET)) {
            remaining++;
            continue;
        }
        if (n_kept++ > 0)
            buf_char(&kept, '\n');
        buf_str(&kept, line);
        size += n;
    }
    bool cut = n_kept > 0 && size - 1 > MESSAGE_BUDGET;
    if (!cut && remaining == 0) {
        buf_str(out, message);
    } else {
        buf_str(out, cut ? text_head(buf_view(&kept), MESSAGE_BUDGET) : buf_view(&kept));
        buf_z(out, cut ? "...\n[" : "\n[");
        if (remaining > 0)
            buf_printf(out, "+%zu more line%s", remaining, remaining > 1 ? "s" : "");
        else
            buf_z(out, "truncated");
        buf_z(out, "; full report in element text]");
    }
    buf_release(&kept);
}

/* The position of needle ("::"), s.n when there is none. */
static size_t find_colons(struct str s)
{
    for (size_t i = 0; i + 1 < s.n; i++)
        if (s.p[i] == ':' && s.p[i + 1] == ':')
            return i;
    return s.n;
}

static void add_class(struct buf *classname, struct str part)
{
    if (classname->n)
        buf_char(classname, '.');
    buf_str(classname, part);
}

static void add_path(struct buf *out, struct str path)
{
    if (str_ends(path, STR(".py")))
        path.n -= 3;
    for (size_t i = 0; i < path.n; i++)
        buf_char(out, path.p[i] == '/' ? '.' : path.p[i]);
}

void junit_names(struct str id, struct str prefix, struct buf *classname, struct buf *name)
{
    size_t colons = find_colons(id);
    struct buf path = {0};
    add_path(&path, str_slice(id, 0, colons));
    if (prefix.p)
        add_class(classname, prefix);
    if (colons == id.n) {
        buf_str(name, buf_view(&path));
        buf_release(&path);
        return;
    }
    add_class(classname, buf_view(&path));
    struct str tail = str_slice(id, colons + 2, id.n);
    size_t bracket = str_chr(tail, '[');
    struct str names = str_slice(tail, 0, bracket), params = str_slice(tail, bracket, tail.n);
    for (size_t at; (at = find_colons(names)) < names.n; names = str_slice(names, at + 2, names.n))
        add_class(classname, str_slice(names, 0, at));
    buf_str(name, names);
    buf_str(name, params);
    if (params.n && !str_ends(params, STR("]")))
        buf_char(name, ']');
    buf_release(&path);
}

void junit_captured(struct buf *out, const struct report_phase *p, struct str title,
                    struct str separator)
{
    bool first = true;
    for (uint32_t i = 0; i < p->n_sections; i++) {
        if (!str_starts(p->sections[i].title, title))
            continue;
        if (!first)
            buf_str(out, separator);
        buf_str(out, p->sections[i].text);
        first = false;
    }
}

/* ---- a testcase ---- */

/* Is nothing of it escaped in an attribute? */
static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c < ' ' || c > '~' || c == '&' || c == '<' || c == '>' || c == '"')
            return false;
    }
    return true;
}

static void put_attribute(struct buf *out, const char *name, struct str value)
{
    buf_char(out, ' ');
    buf_z(out, name);
    buf_add(out, "=\"", 2);
    buf_str(out, value);
    buf_char(out, '"');
}

bool junit_bare_testcase(struct buf *out, struct str classname, struct str name, struct str file, int64_t line, double seconds)
{
    char text[64];
    if (!is_plain(classname) || !is_plain(name) || !is_plain(file))
        return false;
    buf_z(out, "<testcase");
    put_attribute(out, "classname", classname);
    put_attribute(out, "name", name);
    if (file.p)
        put_attribute(out, "file", file);
    snprintf(text, sizeof text, "%" PRId64, line);
    if (file.p && line >= 0)
        put_attribute(out, "line", str_z(text));
    snprintf(text, sizeof text, "%.3f", seconds);
    put_attribute(out, "time", str_z(text));
    buf_add(out, "/>", 2);
    return true;
}
