/* What arrives on a socket: frames in pieces, and JSON documents. */
#include "runtime/wire/frame.h"
#include "runtime/wire/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void walk_json(struct str text)
{
    struct json j = json_of(text);
    struct buf word = {0}, quoted = {0};
    if (json_peek(&j) == '{' && json_enter(&j, '{')) {
        while (json_key(&j, &word)) {
            buf_clear(&word);
            if (json_peek(&j) != '"' || !json_string(&j, &word))
                json_skip(&j);
        }
    } else if (json_enter(&j, '[')) {
        while (json_item(&j))
            json_skip(&j);
    }
    json_quote(&quoted, text); /* what we quote, we must read back byte by byte */
    buf_clear(&word);
    struct json back = json_of(buf_view(&quoted));
    if (!json_string(&back, &word) || !json_done(&back) || !str_eq(buf_view(&word), text))
        abort();
    buf_release(&word);
    buf_release(&quoted);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct frame_in in = {.max_payload = 4096};
    struct frame frame;
    enum frame_status status = FRAME_NONE;
    for (size_t at = 0, step; at < size && status != FRAME_BAD; at += step) {
        step = size - at < 7 ? size - at : 7;
        buf_add(&in.buf, data + at, step);
        while ((status = frame_next(&in, &frame)) == FRAME_GOT)
            walk_json(frame.payload);
    }
    frame_in_release(&in);
    walk_json((struct str){(const char *)data, size});
    return 0;
}
