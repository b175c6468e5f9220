#include "runtime/base/io.h"

void path_join(struct buf *out, struct str a, struct str b)
{
    struct buf raw = {0};
    if (a.n && (b.n == 0 || b.p[0] != '/')) {
        buf_str(&raw, a);
        buf_char(&raw, '/');
    }
    buf_str(&raw, b);
    path_normalize(out, buf_view(&raw));
    buf_release(&raw);
}

/* Drops the last component of out, which begins at `root` bytes; false when there is none. */
static bool drop_last(struct buf *out, size_t root)
{
    struct str done = str_slice(buf_view(out), root, out->n);
    if (done.n == 0 || str_eq(path_base(done), STR("..")))
        return false;
    size_t i = str_rchr(done, '/');
    out->n = root + (i == done.n ? 0 : i);
    out->p[out->n] = '\0';
    return true;
}

void path_normalize(struct buf *out, struct str path)
{
    bool absolute = path.n && path.p[0] == '/';
    size_t start = out->n;
    buf_z(out, absolute ? "/" : "");
    size_t root = out->n;
    struct str rest = {path.p ? path.p : "", path.n}, part;
    while (str_next(&rest, '/', &part)) {
        if (part.n == 0 || str_eq(part, STR(".")))
            continue;
        if (str_eq(part, STR("..")) && (drop_last(out, root) || absolute))
            continue;
        if (out->n > root)
            buf_char(out, '/');
        buf_str(out, part);
    }
    if (out->n == start)
        buf_char(out, '.');
}

void path_relative(struct buf *out, struct str path, struct str base)
{
    size_t common = 0; /* length of the shared leading components */
    for (size_t i = 0;; i++) {
        bool a_ends = i >= path.n || path.p[i] == '/', b_ends = i >= base.n || base.p[i] == '/';
        if (a_ends && b_ends)
            common = i;
        if (i >= path.n || i >= base.n || path.p[i] != base.p[i])
            break;
    }
    size_t start = out->n;
    struct str up = str_slice(base, common, base.n), part;
    while (str_next(&up, '/', &part))
        if (part.n)
            buf_z(out, out->n > start ? "/.." : "..");
    struct str down = str_slice(path, common, path.n);
    if (down.n && down.p[0] == '/')
        down = str_slice(down, 1, down.n);
    if (down.n && out->n > start)
        buf_char(out, '/');
    buf_str(out, down);
    if (out->n == start)
        buf_char(out, '.');
}

bool path_under(struct str path, struct str dir)
{
    if (str_eq(dir, STR("/")))
        return path.n && path.p[0] == '/';
    return str_starts(path, dir) && (path.n == dir.n || path.p[dir.n] == '/');
}
