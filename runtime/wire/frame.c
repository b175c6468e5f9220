#include "runtime/wire/frame.h"

#include "runtime/base/pack.h"
#include "runtime/wire/msg.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, KEEP_BYTES = 1024 * 1024 };

static uint32_t get_u32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

void frame_add(struct buf *out, uint16_t type, uint32_t tag, struct str payload)
{
    assert(payload.n <= WIRE_MAX_PAYLOAD);
    buf_reserve(out, WIRE_HEADER_BYTES + payload.n);
    pack_u32(out, (uint32_t)payload.n);
    pack_u32(out, type);
    pack_u32(out, tag);
    buf_str(out, payload);
}

enum frame_status frame_next(struct frame_in *in, struct frame *frame)
{
    size_t have = in->buf.n - in->at;
    if (have < WIRE_HEADER_BYTES)
        return FRAME_NONE;
    const char *p = in->buf.p + in->at;
    uint32_t length = get_u32(p), type = get_u32(p + 4);
    if (length > (in->max_payload ? in->max_payload : WIRE_MAX_PAYLOAD) || type > UINT16_MAX)
        return FRAME_BAD;
    if (have - WIRE_HEADER_BYTES < length)
        return FRAME_NONE;
    frame->type = (uint16_t)type;
    frame->tag = get_u32(p + 8);
    frame->payload = (struct str){p + WIRE_HEADER_BYTES, length};
    in->at += WIRE_HEADER_BYTES + (size_t)length;
    return FRAME_GOT;
}

/* Moves what is unread to the front; a buffer that one big frame has grown is given back. */
static void compact(struct frame_in *in)
{
    size_t left = in->buf.n - in->at;
    if (left == 0 && in->buf.cap > KEEP_BYTES)
        buf_release(&in->buf);
    else if (in->at > 0)
        memmove(in->buf.p, in->buf.p + in->at, left);
    in->buf.n = left;
    in->at = 0;
}

ssize_t frame_fill(struct frame_in *in, int fd)
{
    ssize_t n;
    compact(in);
    buf_reserve(&in->buf, READ_BYTES);
    do
        n = read(fd, in->buf.p + in->buf.n, READ_BYTES);
    while (n < 0 && errno == EINTR);
    if (n > 0)
        in->buf.n += (size_t)n;
    in->buf.p[in->buf.n] = '\0';
    return n;
}

void frame_in_release(struct frame_in *in)
{
    buf_release(&in->buf);
    in->at = 0;
}
