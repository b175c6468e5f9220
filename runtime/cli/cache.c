/* `fastest cache`: what the parse cache that all checkouts share holds. */
#include "runtime/cli/commands.h"

#include "generator/source/parse_cache.h"
#include "generator/source/stmts.h"
#include "runtime/base/io.h"
#include "runtime/cli/options.h"
#include "runtime/wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_BYTES = 1 << 20 };

static bool print(struct buf *out, struct err *err)
{
    bool ok = io_write_all(STDOUT_FILENO, out->p ? out->p : "", out->n) || err_errno(err, "cannot write");
    buf_release(out);
    return ok;
}

static double hit_rate(const struct parse_cache_stats *s)
{
    double all = (double)s->hits + (double)s->misses;
    return all > 0 ? (double)s->hits / all : 0;
}

/* ---- stats ---- */

static void stats_lines(const struct parse_cache_stats *s, struct buf *out)
{
    buf_printf(out, "path      %.*s\n", (int)s->path.n, s->path.n ? s->path.p : "");
    buf_printf(out, "entries   %" PRIu64 "\n", s->entries);
    buf_printf(out, "size      %" PRIu64 " bytes\n", s->size_bytes);
    buf_printf(out, "limit     %" PRIu64 " bytes\n", s->limit_bytes);
    buf_printf(out, "hits      %" PRIu64 "\n", s->hits);
    buf_printf(out, "misses    %" PRIu64 "\n", s->misses);
    buf_printf(out, "hit rate  %.1f %%\n", hit_rate(s) * 100);
    buf_printf(out, "evicted   %" PRIu64 "\n", s->evicted);
}

static void stats_json(const struct parse_cache_stats *s, struct buf *out)
{
    buf_z(out, "{\"path\": ");
    json_quote(out, s->path);
    buf_printf(out, ", \"entries\": %" PRIu64 ", \"size_bytes\": %" PRIu64 ", \"limit_bytes\": %" PRIu64,
               s->entries, s->size_bytes, s->limit_bytes);
    buf_printf(out, ", \"hits\": %" PRIu64 ", \"misses\": %" PRIu64 ", \"hit_rate\": %.4f, \"evicted\": %" PRIu64
               "}\n", s->hits, s->misses, hit_rate(s), s->evicted);
}

static bool show_stats(bool json, struct err *err)
{
    struct parse_cache *c = parse_cache_open(0, true);
    struct parse_cache_stats s;
    struct buf out = {0};
    parse_cache_stats(c, &s);
    (json ? stats_json : stats_lines)(&s, &out);
    bool ok = parse_cache_close(c, err);
    return print(&out, err) && ok;
}

/* ---- clear ---- */

static bool clear(struct err *err)
{
    struct parse_cache *c = parse_cache_open(0, true);
    struct parse_cache_stats s;
    struct buf out = {0};
    parse_cache_stats(c, &s);
    uint64_t size_bytes = s.path.n ? io_stat_path(s.path.p).size_bytes : 0; /* also of what is no cache */
    buf_printf(&out, "freed %" PRIu64 " bytes, %" PRIu64 " entries: %.*s\n", size_bytes, s.entries, (int)s.path.n,
               s.path.n ? s.path.p : "");
    if (parse_cache_close(c, err) && parse_cache_clear(err))
        return print(&out, err);
    buf_release(&out);
    return false;
}

/* ---- dump ---- */

struct dump {
    struct buf out;
    bool any, failed;
    struct err *err;
};

static void dump_stmts(struct buf *out, struct str packed)
{
    struct stmt s;
    bool any = false;
    while (stmts_next(&packed, &s)) {
        buf_z(out, any ? ",\n   " : "\n   ");
        buf_printf(out, "{\"kind\": \"%s\", \"depth\": %u, \"line\": %u, \"text\": ",
                   stmts_kind_name((enum stmt_kind)s.kind), s.depth, s.line);
        json_quote(out, s.text);
        buf_char(out, '}');
        any = true;
    }
}

static void dump_entry(void *ctx, struct hash128 key, struct str data, int64_t used_s)
{
    struct dump *d = ctx;
    char hex[33], when[32] = "";
    time_t t = (time_t)used_s;
    struct tm tm;
    hash128_hex(key, hex);
    if (gmtime_r(&t, &tm))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_z(&d->out, d->any ? ",\n " : "\n ");
    buf_printf(&d->out, "{\"key\": \"%s\", \"size_bytes\": %zu, \"used\": \"%s\", \"statements\": [", hex, data.n,
               when);
    dump_stmts(&d->out, data);
    buf_z(&d->out, "]}");
    d->any = true;
    if (d->out.n > FLUSH_BYTES && !d->failed) /* a cache may be larger than the memory it should take */
        d->failed = !print(&d->out, d->err);
    if (d->failed)
        buf_clear(&d->out);
}

static bool dump(struct err *err)
{
    struct parse_cache *c = parse_cache_open(0, true);
    struct dump d = {.err = err};
    buf_char(&d.out, '[');
    parse_cache_each(c, dump_entry, &d);
    buf_z(&d.out, d.any ? "\n]\n" : "]\n");
    bool ok = !d.failed && print(&d.out, err);
    buf_release(&d.out);
    return parse_cache_close(c, NULL) && ok;
}

/* ---- the command ---- */

bool command_cache(struct cli *c, enum exit_code *code, struct err *err)
{
    const char *word = c->n_items ? c->items[0] : "";
    bool ok;
    if (c->as_json && *word && strcmp(word, "stats") != 0)
        return err_set(err, "cache %s: --json: only stats takes it", word);
    switch (*word) {
    case 's':
        ok = show_stats(c->as_json, err);
        break;
    case 'c':
        ok = clear(err);
        break;
    case 'd':
        ok = dump(err);
        break;
    default:
        return err_set(err, "cache: a word is missing: stats, clear or dump");
    }
    *code = ok ? EXIT_PASSED : EXIT_INTERNAL;
    return ok;
}
