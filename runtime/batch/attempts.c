#include "runtime/batch/attempts.h"

#include "runtime/base/buf.h"
#include "runtime/base/hash.h"
#include "runtime/wire/document.h"
#include "runtime/wire/json.h"

#include <string.h>

static struct str inside(struct str list)
{
    return list.n >= 2 ? str_trim(str_slice(list, 1, list.n - 1)) : (struct str){0};
}

static void add_member(struct buf *out, const char *name, struct str value)
{
    if (value.n == 0)
        return;
    buf_printf(out, "%s\"%s\": ", out->n > 1 ? ", " : "", name);
    buf_str(out, value);
}

/* The categories of the last line: those of the later, and that it is flaky. */
static void add_counts(struct buf *out, struct str counts, enum record_outcome outcome, bool flaky)
{
    struct buf b = {0};
    struct str rest = inside(counts);
    if (flaky) {
        buf_char(&b, '{');
        if (rest.n)
            buf_str(&b, rest);
        else
            buf_printf(&b, "\"%s\": 1", outcome == OUT_XPASSED ? "xpassed" : outcome == OUT_XFAILED ? "xfailed"
                                        : outcome == OUT_SKIPPED ? "skipped" : "passed");
        buf_z(&b, ", \"flaky\": 1}");
        counts = buf_view(&b);
    }
    add_member(out, "counts", counts);
    buf_release(&b);
}

struct str attempts_add(struct str earlier, struct str later, enum record_outcome outcome, struct str reason,
                        struct arena *a)
{
    static const char *const same[] = {"phases", "deps", "props", "rerun", "passed_subtests"};
    bool passed = outcome != OUT_FAILED && outcome != OUT_ERROR;
    struct buf b = {0}, list = {0}, quoted = {0};
    struct str before = inside(document_member(earlier, "attempts")), phases = document_member(earlier, "phases");
    if (!document_member(later, "phases").n || !phases.n)
        return later;
    buf_char(&list, '[');
    buf_str(&list, before);
    buf_z(&list, before.n ? ", " : "");
    buf_str(&list, phases);
    buf_char(&list, ']');
    buf_char(&b, '{');
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        add_member(&b, same[i], document_member(later, same[i]));
    add_counts(&b, document_member(later, "counts"), outcome, passed && !reason.n);
    add_member(&b, "attempts", buf_view(&list));
    if (passed && reason.n) {
        json_quote(&quoted, reason);
        add_member(&b, "reason", buf_view(&quoted));
    } else if (passed) {
        add_member(&b, "flaky", STR("true"));
    }
    buf_char(&b, '}');
    struct str all = {arena_dup(a, b.p, b.n), b.n};
    buf_release(&b);
    buf_release(&list);
    buf_release(&quoted);
    return all;
}

uint64_t attempts_kind(struct str text)
{
    struct json j = json_of(document_member(text, "phases"));
    struct hasher *h = hasher_new();
    json_enter(&j, '[');
    while (json_item(&j)) {
        json_peek(&j);
        const char *from = j.p;
        if (!json_skip(&j))
            break;
        struct str crash = document_member((struct str){from, (size_t)(j.p - from)}, "crash"), message = document_member(crash, "message");
        hasher_str(h, document_member(crash, "path"));
        hasher_str(h, document_member(crash, "line"));
        struct str word = str_slice(message, 0, str_chr(message, ' '));
        hasher_str(h, str_slice(word, 0, str_chr(word, ':')));
    }
    return hasher_done(h).lo;
}
