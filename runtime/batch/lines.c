/* The one line that Ninja shows for a failed test: id and message, from the JSON documents. */
#include "runtime/batch/collect.h"

#include "runtime/wire/json.h"

#include <string.h>

enum { MAX_MESSAGE = 200 };

static bool key_is(const struct buf *key, const char *name)
{
    return str_eq(buf_view(key), str_z(name));
}

/* {"message": …} → its text. */
static void read_crash(struct json *j, struct buf *message)
{
    struct buf key = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &key)) {
        if (key_is(&key, "message") && json_peek(j) == '"') {
            buf_clear(message);
            ok = json_string(j, message);
        } else {
            ok = json_skip(j);
        }
    }
    buf_release(&key);
}

/* A phase: its crash message, and the id that collection errors carry. True when it failed. */
static bool read_phase(struct json *j, struct buf *message, struct buf *id)
{
    struct buf key = {0}, outcome = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &key)) {
        if (key_is(&key, "crash") && json_peek(j) == '{')
            read_crash(j, message);
        else if (key_is(&key, "o") && json_peek(j) == '"')
            ok = json_string(j, &outcome);
        else if (key_is(&key, "id") && id && json_peek(j) == '"')
            ok = json_string(j, id);
        else
            ok = json_skip(j);
    }
    bool failed = str_eq(buf_view(&outcome), STR("failed"));
    buf_release(&key);
    buf_release(&outcome);
    return failed;
}

static void read_result(struct str json, struct buf *message)
{
    struct json j = json_of(json);
    struct buf key = {0}, text = {0};
    bool ok = json_enter(&j, '{'), found = false;
    while (ok && json_key(&j, &key)) {
        if (!key_is(&key, "phases") || json_peek(&j) != '[') {
            ok = json_skip(&j);
            continue;
        }
        json_enter(&j, '[');
        while (json_item(&j)) {
            buf_clear(&text);
            if (read_phase(&j, &text, NULL) && !found) {
                found = true;
                buf_str(message, buf_view(&text));
            }
        }
    }
    buf_release(&key);
    buf_release(&text);
}

static void add_line(struct buf *out, const char *word, struct str id, struct str message)
{
    struct str line = str_slice(message, 0, str_chr(message, '\n'));
    size_t n = line.n < MAX_MESSAGE ? line.n : MAX_MESSAGE;
    while (n > 0 && n < line.n && ((unsigned char)line.p[n] & 0xc0) == 0x80)
        n--; /* not within a character */
    buf_printf(out, "%s ", word);
    buf_str(out, id);
    if (n) {
        buf_z(out, " - ");
        buf_str(out, str_slice(line, 0, n));
    }
    buf_char(out, '\n');
}

static void add_result(const struct record_result *result, struct str id, struct buf *out)
{
    struct buf message = {0};
    read_result(result->json, &message);
    add_line(out, result->outcome == OUT_FAILED ? "FAILED" : "ERROR", id, buf_view(&message));
    buf_release(&message);
}

static const struct record_result *next_failure(const struct record *r, uint32_t *at)
{
    for (; *at < r->n_results; ++*at)
        if (r->results[*at].outcome == OUT_FAILED || r->results[*at].outcome == OUT_ERROR)
            return &r->results[(*at)++];
    return NULL;
}

static void read_id(struct json *j, struct buf *id)
{
    struct buf key = {0};
    bool ok = json_enter(j, '{');
    while (ok && json_key(j, &key))
        ok = key_is(&key, "id") && json_peek(j) == '"' ? json_string(j, id) : json_skip(j);
    buf_release(&key);
}

/* Walks the items beside the failures, both in item order. */
static void walk_items(struct json *j, const struct record *r, struct buf *out)
{
    uint32_t at = 0, item = 0;
    struct buf id = {0};
    const struct record_result *failure = next_failure(r, &at);
    bool ok = json_enter(j, '[');
    for (; ok && json_item(j); item++) {
        if (!failure || failure->item != item) {
            ok = json_skip(j);
            continue;
        }
        buf_clear(&id);
        read_id(j, &id);
        add_result(failure, buf_view(&id), out);
        failure = next_failure(r, &at);
    }
    buf_release(&id);
}

void collect_lines(const struct record *r, struct buf *out)
{
    struct json j = json_of(r->meta);
    struct buf key = {0}, message = {0}, id = {0};
    bool ok = json_enter(&j, '{');
    while (ok && json_key(&j, &key)) {
        if (key_is(&key, "items") && json_peek(&j) == '[') {
            walk_items(&j, r, out);
        } else if (key_is(&key, "error") && json_peek(&j) == '{') {
            read_phase(&j, &message, &id);
            add_line(out, "ERROR", buf_view(&id), buf_view(&message));
        } else {
            ok = json_skip(&j);
        }
    }
    buf_release(&key);
    buf_release(&message);
    buf_release(&id);
}
