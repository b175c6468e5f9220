/* One non-blocking connection with a write queue: the pool's side of a socket.
 *
 * conn_send never blocks: it queues, and what does not fit into the queue's limit breaks the
 * connection (a peer that does not read cannot stop the others). conn_flush writes what the
 * socket takes. `broken` is final: close it. */
#ifndef FASTEST_WIRE_CONN_H
#define FASTEST_WIRE_CONN_H

#include "runtime/wire/frame.h"

#include <stdbool.h>

struct conn {
    int fd; /* -1 when closed */
    struct frame_in in;
    struct buf out;
    size_t out_at;
    bool eof, broken;
};

void conn_init(struct conn *c, int fd); /* takes fd, makes it non-blocking */
void conn_close(struct conn *c);        /* closes and frees; safe to call twice */
void conn_send(struct conn *c, uint16_t type, uint32_t tag, struct str payload);
bool conn_wants_write(const struct conn *c);
void conn_flush(struct conn *c);
/* Reads once; false when nothing (more) came: would block, eof or broken. */
bool conn_read(struct conn *c);

#endif
