/* Frames: u32 payload length, u16 type, u16 zero, u32 tag, payload; little-endian.
 *
 * Writing: frame_add(&out, type, tag, payload).
 * Reading: frame_fill(&in, fd) appends what has arrived; then frame_next until FRAME_NONE. The
 * payload is a view into the buffer, valid until the next frame_fill. FRAME_BAD is final. Memory
 * grows with the bytes that have arrived, never with a length that a peer announces. */
#ifndef FASTEST_WIRE_FRAME_H
#define FASTEST_WIRE_FRAME_H

#include "runtime/base/buf.h"

#include <stdint.h>
#include <sys/types.h>

struct frame {
    uint16_t type;
    uint32_t tag;
    struct str payload;
};

struct frame_in {
    struct buf buf;
    size_t at;
    uint32_t max_payload; /* 0 = WIRE_MAX_PAYLOAD */
};

enum frame_status { FRAME_NONE, FRAME_GOT, FRAME_BAD };

void frame_add(struct buf *out, uint16_t type, uint32_t tag, struct str payload);
enum frame_status frame_next(struct frame_in *in, struct frame *frame);
/* read(2) once: bytes, 0 at the end of the stream, -1 with errno (EINTR is retried). */
ssize_t frame_fill(struct frame_in *in, int fd);
void frame_in_release(struct frame_in *in);

#endif
