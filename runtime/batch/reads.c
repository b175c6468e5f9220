#include "runtime/batch/reads.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_READS = 1000000 };

static struct str own(struct reads *r, struct str s)
{
    return (struct str){arena_dup(&r->arena, s.p ? s.p : "", s.n), s.n};
}

/* One of each: of looks at a path, and of nothing being there, the first. */
static bool add(struct reads *r, struct read item)
{
    struct buf id = {0};
    bool added, look = item.kind == DEP_LOOK || item.kind == DEP_ABSENT;
    if (item.path.n == 0 || item.path.p[0] != '/' || memchr(item.path.p, '\0', item.path.n) || r->n >= MAX_READS)
        return item.path.n > 0 && r->n < MAX_READS;
    buf_char(&id, look ? '?' : (char)('0' + (int)item.kind + (item.source ? 20 : 0) + (item.late ? 20 : 0)));
    buf_str(&id, item.path);
    buf_char(&id, '\0');
    buf_str(&id, item.asker);
    struct str key = own(r, buf_view(&id));
    buf_release(&id);
    map_put(&r->seen, key, &added);
    if (!added)
        return true;
    item.path = str_slice(key, 1, 1 + item.path.n);
    item.asker = str_slice(key, 2 + item.path.n, key.n);
    r->items = xgrow(r->items, &r->cap, r->n + 1, sizeof *r->items);
    r->items[r->n++] = item;
    return true;
}

static bool scan_paths(struct reads *r, struct json *j, struct read like)
{
    struct buf path = {0};
    bool ok = json_enter(j, '[');
    while (ok && json_item(j)) {
        buf_clear(&path);
        ok = json_string(j, &path);
        like.path = buf_view(&path);
        if (ok && like.source)
            code_add(&r->code, like.path);
        ok = ok && add(r, like);
    }
    buf_release(&path);
    return ok && !j->bad;
}

static const struct {
    const char *key;
    struct read like;
} lists[] = {
    {"open", {.kind = DEP_FILE}},
    {"import", {.kind = DEP_FILE, .source = true}},
    {"load", {.kind = DEP_FILE, .source = true, .late = true}},
    {"absent", {.kind = DEP_ABSENT}},
    {"dir", {.kind = DEP_DIR}},
    {"is_file", {.kind = DEP_LOOK, .seen = IO_FILE}},
    {"is_dir", {.kind = DEP_LOOK, .seen = IO_DIR}},
    {"link", {.kind = DEP_LINK}},
};

static const struct {
    const char *key;
    size_t at;
} flags[] = {
    {"spawn", offsetof(struct reads, spawned)},
    {"blind", offsetof(struct reads, blind)},
    {"unseen", offsetof(struct reads, unseen)},
    {"random", offsetof(struct reads, random)},
};

static bool scan(struct reads *r, struct json *j, struct str asker);

/* {source whose code asked: deps} */
static bool scan_by(struct reads *r, struct json *j)
{
    struct buf asker = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &asker))
        ok = scan(r, j, buf_view(&asker));
    buf_release(&asker);
    return ok && !j->bad;
}

static bool scan_shared(struct reads *r, struct json *j)
{
    struct buf path = {0};
    bool ok = json_string(j, &path);
    r->shared = own(r, buf_view(&path));
    buf_release(&path);
    return ok;
}

static bool scan_member(struct reads *r, struct json *j, struct str key, struct str asker)
{
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (str_eq(key, str_z(lists[i].key))) {
            struct read like = lists[i].like;
            like.asker = asker;
            return scan_paths(r, j, like);
        }
    if (str_eq(key, STR("code")))
        return code_scan(&r->code, j);
    if (str_eq(key, STR("by")) && !asker.n)
        return scan_by(r, j);
    if (str_eq(key, STR("shared")) && !asker.n)
        return scan_shared(r, j);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (str_eq(key, str_z(flags[i].key)) && json_peek(j) == 't')
            *(bool *)((char *)r + flags[i].at) = true;
    return json_skip(j);
}

static bool scan(struct reads *r, struct json *j, struct str asker)
{
    struct buf key = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &key))
        ok = scan_member(r, j, buf_view(&key), asker);
    buf_release(&key);
    return ok && !j->bad;
}

bool reads_scan(struct reads *r, struct json *j)
{
    return scan(r, j, STR(""));
}

void reads_release(struct reads *r)
{
    code_release(&r->code);
    map_release(&r->seen);
    free(r->items);
    arena_release(&r->arena);
    memset(r, 0, sizeof *r);
}
