#include "runtime/wire/conn.h"

#include "runtime/wire/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEEP_BYTES = 1024 * 1024 };

void conn_init(struct conn *c, int fd)
{
    memset(c, 0, sizeof *c);
    c->fd = fd;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        c->broken = true;
}

void conn_close(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    frame_in_release(&c->in);
    buf_release(&c->out);
    c->out_at = 0;
}

void conn_send(struct conn *c, uint16_t type, uint32_t tag, struct str payload)
{
    if (c->broken || c->fd < 0)
        return;
    if (payload.n > WIRE_MAX_PAYLOAD ||
        c->out.n - c->out_at + payload.n > WIRE_MAX_QUEUE - WIRE_HEADER_BYTES) {
        c->broken = true;
        return;
    }
    frame_add(&c->out, type, tag, payload);
}

bool conn_wants_write(const struct conn *c)
{
    return c->fd >= 0 && !c->broken && c->out.n > c->out_at;
}

static void written(struct conn *c, size_t n)
{
    c->out_at += n;
    if (c->out_at == c->out.n) {
        if (c->out.cap > KEEP_BYTES)
            buf_release(&c->out);
        else
            buf_clear(&c->out);
        c->out_at = 0;
    } else if (c->out_at > KEEP_BYTES && c->out_at > c->out.n / 2) {
        memmove(c->out.p, c->out.p + c->out_at, c->out.n - c->out_at);
        c->out.n -= c->out_at;
        c->out_at = 0;
    }
}

void conn_flush(struct conn *c)
{
    while (conn_wants_write(c)) {
        ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_NOSIGNAL);
        if (n > 0) {
            written(c, (size_t)n);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            c->broken = true; /* what it sent before may still be read */
        }
    }
}

bool conn_read(struct conn *c)
{
    if (c->fd < 0 || c->eof)
        return false;
    ssize_t n = frame_fill(&c->in, c->fd);
    if (n > 0)
        return true;
    if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
        c->eof = true;
    return false;
}
