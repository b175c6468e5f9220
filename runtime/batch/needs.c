#include "runtime/batch/needs.h"

#include "runtime/base/buf.h"
#include "runtime/base/io.h"
#include "runtime/base/map.h"

static void read_file(struct str state_dir, const char *name, struct buf *path, struct buf *text)
{
    path_join(path, state_dir, str_z(name));
    if (io_stat_path(path->p).kind != IO_FILE || !io_read(path->p, 0, text, NULL))
        buf_clear(text);
}

/* Whether the line is of that test, and (unless NULL) of that kind. */
static bool line_is(struct str line, const char *kind, struct str test)
{
    size_t tab = str_chr(line, '\t');
    struct str rest = str_slice(line, tab + 1, line.n);
    return (!kind || str_eq(str_slice(line, 0, tab), str_z(kind))) && str_eq(str_slice(rest, 0, str_chr(rest, '\t')), test);
}

bool needs_has(struct str state_dir, const char *kind, struct str test)
{
    struct buf path = {0}, text = {0};
    bool found = false;
    read_file(state_dir, "needs", &path, &text);
    struct str rest = buf_view(&text), line;
    while (!found && str_next(&rest, '\n', &line))
        found = line_is(line, kind, test);
    buf_release(&path);
    buf_release(&text);
    return found;
}

bool needs_set(struct str state_dir, const char *kind, struct str test, struct str what, struct err *err)
{
    struct buf path = {0}, text = {0}, out = {0};
    read_file(state_dir, "needs", &path, &text);
    struct str rest = buf_view(&text), line;
    while (str_next(&rest, '\n', &line))
        if (line.n && !line_is(line, kind, test)) {
            buf_str(&out, line);
            buf_char(&out, '\n');
        }
    if (kind) {
        buf_printf(&out, "%s\t", kind);
        buf_str(&out, test);
        buf_z(&out, what.n ? "\t" : "");
        buf_str(&out, what);
        buf_char(&out, '\n');
    }
    bool ok = io_replace_if_changed(path.p, buf_view(&out), NULL, err);
    buf_release(&path);
    buf_release(&text);
    buf_release(&out);
    return ok;
}

void needs_imports(struct str state_dir, struct strs *names, struct arena *a)
{
    struct buf path = {0}, text = {0};
    struct map seen = {0};
    read_file(state_dir, "imports", &path, &text);
    struct str rest = {arena_dup(a, text.p ? text.p : "", text.n), text.n}, line;
    while (str_next(&rest, '\n', &line)) {
        bool added = false;
        if (line.n)
            map_put(&seen, line, &added);
        if (added)
            strs_add(names, line);
    }
    map_release(&seen);
    buf_release(&path);
    buf_release(&text);
}
