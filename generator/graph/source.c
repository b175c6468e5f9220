#include "generator/graph/source.h"

#include "generator/source/blocks.h"
#include "generator/source/token.h"
#include "runtime/base/clock.h"

#include <unistd.h>

/* A file written within this time before it was hashed may change again without a new stat. */
static const int64_t racy_ns = INT64_C(2000000000);

static bool is_current(const struct index_file *f, const struct io_stat *st)
{
    return !hash128_is_zero(f->content) && io_stat_same(&f->st, st) &&
           st->ctime_ns < f->hashed_ns - racy_ns;
}

static void parse_file(struct sources *s, struct index_file *f)
{
    if (!s->parser)
        s->parser = parser_new();
    buf_clear(&s->packed);
    parser_run(s->parser, buf_view(&s->text), &f->facts, &s->packed);
    f->facts.imports.p = arena_dup(&s->index->arena, s->packed.p ? s->packed.p : "", s->packed.n);
    f->facts.imports.n = s->packed.n;
    buf_clear(&s->packed);
    if (str_ends(f->path, STR(".py")))
        blocks_pack(&s->packed, buf_view(&s->text), s->index->keep_lines, s->index->keep_docs);
    f->blocks = (struct str){arena_dup(&s->index->arena, s->packed.p ? s->packed.p : "", s->packed.n), s->packed.n};
    f->parsed = true;
    s->index->dirty = true;
}

/* The bytes are what they were: the recorded mtime is as true as the new one. */
static void restore_mtime(const char *path, struct io_stat *st, const struct io_stat *old)
{
    if (old->mtime_ns && old->mtime_ns != st->mtime_ns && io_set_mtime(path, old->mtime_ns))
        *st = io_stat_path(path);
}

/* Python takes bytecode for current by the source's size and its mtime in whole seconds (PEP 3147,
 * importlib's _validate_timestamp_pyc): an edit within one second that keeps the size would run the
 * old code. Such bytecode is removed. */
static void drop_stale_bytecode(const char *path, const struct io_stat *st,
                                const struct io_stat *old)
{
    bool recent = !old->mtime_ns && clock_wall_ns() - st->mtime_ns < racy_ns; /* not seen before */
    bool same_to_python = st->size_bytes == old->size_bytes &&
                          st->mtime_ns / 1000000000 == old->mtime_ns / 1000000000;
    if (!recent && !same_to_python)
        return;
    struct str dir = path_dir(str_z(path)), base = path_base(str_z(path));
    struct str stem = str_slice(base, 0, base.n - 2); /* with the dot */
    struct buf cache = {0}, file = {0};
    struct io_list list;
    buf_printf(&cache, "%.*s/__pycache__", (int)dir.n, dir.p);
    if (str_ends(base, STR(".py")) && io_listdir(cache.p, &list)) {
        for (size_t i = 0; i < list.n; i++) {
            if (!str_starts(str_z(list.items[i].name), stem))
                continue;
            buf_clear(&file);
            buf_printf(&file, "%s/%s", cache.p, list.items[i].name);
            unlink(file.p);
        }
        io_list_release(&list);
    }
    buf_release(&cache);
    buf_release(&file);
}

static void rehash(struct sources *s, struct index_file *f, const char *path, struct io_stat st)
{
    struct str text = buf_view(&s->text);
    struct hash128 content = hash128_of(text.p, text.n), before = f->semantic;
    bool same = hash128_eq(content, f->content);
    if (same && s->restore_mtimes)
        restore_mtime(path, &st, &f->st);
    if (!same) {
        drop_stale_bytecode(path, &st, &f->st);
        f->content = content;
        f->semantic = str_ends(f->path, STR(".py")) ? token_hash(text, s->index->keep_lines)
                                                    : content;
        f->parsed = false;
        f->changed = !hash128_eq(before, f->semantic);
    }
    f->st = st;
    s->index->dirty = true;
}

static void load(struct sources *s, struct index_file *f, const char *path, bool parse)
{
    int64_t now = clock_wall_ns();
    struct io_stat st = io_stat_near(&s->near, path);
    bool current = is_current(f, &st);
    if (st.kind == IO_FILE && current && (f->parsed || !parse)) {
        f->st = st;
        return;
    }
    buf_clear(&s->text);
    if (st.kind != IO_FILE || !io_read(path, 0, &s->text, NULL)) {
        f->changed = !hash128_is_zero(f->content);
        f->content = f->semantic = (struct hash128){0};
        f->parsed = false;
        f->facts = (struct facts){0};
        f->blocks = STR("");
        f->st = st;
        s->index->dirty = true;
        return;
    }
    if (!current) {
        rehash(s, f, path, st);
        f->hashed_ns = now;
    }
    if (parse && !f->parsed)
        parse_file(s, f);
}

struct index_file *source_check(struct sources *s, struct str path, bool parse)
{
    struct index_file *f = index_file(s->index, path);
    f->used = true;
    if (f->checked && (f->parsed || !parse || hash128_is_zero(f->content)))
        return f;
    struct buf z = {0};
    buf_str(&z, path);
    load(s, f, z.p, parse);
    f->checked = true;
    buf_release(&z);
    return f;
}

static bool dep_holds(struct sources *s, struct record_dep *dep)
{
    struct buf path = {0};
    buf_str(&path, dep->path);
    struct io_stat st = io_stat_path(path.n ? path.p : "");
    bool holds;
    if (dep->kind == DEP_ABSENT || dep->kind == DEP_LOOK || dep->kind == DEP_LINK) {
        holds = record_dep_holds(dep);
    } else if (io_stat_same(&st, &dep->st)) {
        holds = true;
    } else {
        struct record_dep now = *dep;
        record_dep_fill(&now);
        holds = now.kind == dep->kind && hash128_eq(now.hash, dep->hash);
        if (holds && s->restore_mtimes && dep->kind == DEP_FILE)
            restore_mtime(path.p, &now.st, &dep->st);
        if (holds) {
            dep->st = now.st;
            s->index->dirty = true;
        }
    }
    buf_release(&path);
    return holds;
}

/* A source of the graph that a test read, too: this scan has its stat already. */
static bool is_seen_same(const struct sources *s, const struct record_dep *dep)
{
    const uintptr_t *at = dep->kind == DEP_FILE ? map_get(&s->index->files, dep->path) : NULL;
    const struct index_file *f = at ? (const struct index_file *)*at : NULL;
    return f && f->checked && f->st.kind == IO_FILE && io_stat_same(&f->st, &dep->st);
}

bool source_dep_holds(struct sources *s, uint32_t i)
{
    struct index_dep *d = &s->index->deps[i];
    if (!d->state && is_seen_same(s, &d->dep))
        d->state = 1;
    if (!d->state)
        d->state = dep_holds(s, &d->dep) ? 1 : 2;
    return d->state == 1;
}

void sources_release(struct sources *s)
{
    parser_free(s->parser);
    io_near_release(&s->near);
    buf_release(&s->text);
    buf_release(&s->packed);
}
