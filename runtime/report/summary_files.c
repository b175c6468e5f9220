#include "runtime/report/summary_files.h"

#include "runtime/base/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void flush(struct out *o, struct buf *b)
{
    out_str(o, buf_view(b));
    buf_clear(b);
}

/* Properties of the suite, each once: several workers may have recorded the same. */
static bool write_properties(struct part_writer *parts, struct out *o)
{
    struct map seen = {0};
    struct arena a = {0};
    struct strs lines = {0};
    for (size_t i = 0; i < parts->n; i++) {
        struct buf b = {0};
        if (!part_writer_text(parts, i, PART_SUITE, &b)) {
            o->error = EIO;
            break;
        }
        struct str rest = {arena_dup(&a, b.p ? b.p : "", b.n), b.n}, line;
        while (rest.n && str_next(&rest, '\n', &line)) {
            bool added = false;
            map_put(&seen, line, &added);
            if (added && line.n)
                strs_add(&lines, line);
        }
        buf_release(&b);
    }
    for (size_t i = 0; i < lines.n; i++)
        out_str(o, lines.items[i]);
    strs_release(&lines);
    map_release(&seen);
    arena_release(&a);
    return o->error == 0;
}

bool summary_write_junit(struct part_writer *parts, struct junit *junit, const struct junit_head *head,
                         const char *path, struct err *err)
{
    struct out o;
    struct buf b = {0};
    if (!out_open(&o, path, err))
        return false;
    junit_head(junit, &b, head);
    flush(&o, &b);
    write_properties(parts, &o);
    junit_between(junit, &b);
    flush(&o, &b);
    part_writer_texts(parts, PART_COLLECTIONS, "", &o);
    part_writer_texts(parts, PART_CASES, "", &o);
    bool ok = junit_end(junit, &b) || err_set(err, "%s: libxml2 ran out of memory", path);
    flush(&o, &b);
    buf_release(&b);
    if (ok)
        return out_close(&o, err);
    out_cancel(&o);
    return false;
}

bool summary_write_json(struct part_writer *parts, const struct json_head *head, const char *path, struct err *err)
{
    static const struct {
        enum part_text text;
        const char *after;
    } lists[] = {{PART_COLLECTORS, json_report_tests}, {PART_TESTS, json_report_warnings}, {PART_WARNINGS, json_report_end}};
    struct out o;
    struct buf b = {0};
    if (!out_open(&o, path, err))
        return false;
    json_report_head(&b, head);
    flush(&o, &b);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        part_writer_texts(parts, lists[i].text, ",\n", &o);
        out_str(&o, str_z(lists[i].after));
    }
    buf_release(&b);
    return out_close(&o, err);
}

/* Reads path in pieces; take gets each. */
static bool read_pieces(const char *path, void (*take)(void *ctx, struct str s), void *ctx, struct err *err)
{
    char piece[1 << 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s: cannot be read", path);
    ssize_t n;
    while ((n = io_read_full(fd, piece, sizeof piece)) > 0)
        take(ctx, (struct str){piece, (size_t)n});
    if (n < 0)
        err_errno(err, "%s: cannot be read", path);
    close(fd);
    return n == 0;
}

static void to_out(void *ctx, struct str s)
{
    out_str(ctx, s);
}

bool summary_copy(const char *from, const char *to, struct err *err)
{
    struct out o;
    if (!to)
        return true;
    if (!out_open(&o, to, err))
        return false;
    if (read_pieces(from, to_out, &o, err))
        return out_close(&o, err);
    out_cancel(&o);
    return false;
}

static void to_file(void *ctx, struct str s)
{
    fwrite(s.p, 1, s.n, ctx);
}

bool summary_print(const char *from, FILE *out, struct err *err)
{
    return read_pieces(from, to_file, out, err);
}
