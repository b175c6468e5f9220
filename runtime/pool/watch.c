/* Watchers: clients that are told of every result of a run while it is going on. They keep nobody waiting, and
 * no pool alive. */
#include "runtime/pool/state.h"

#include "runtime/base/pack.h"
#include "runtime/wire/msg.h"

bool watch_on_request(struct pool *p, struct peer *peer, const struct frame *f)
{
    struct unpack u = {.p = (const unsigned char *)f->payload.p, .n = f->payload.n};
    uint64_t run_id = unpack_u64(&u);
    uint8_t flags = unpack_u8(&u);
    if (u.bad || u.n || peer->batch)
        return false;
    peer->watches = WATCH_COUNTS;
    if (flags & WATCH_WITH_TEXT)
        peer->watches = WATCH_TEXT;
    if (flags & WATCH_NOTICES_ONLY)
        peer->watches = WATCH_NOTICES;
    if (!p->asked || run_id != p->plan.run_id)
        peer->dead = true; /* another run's */
    else if (p->session.state == SESSION_COLLECTED)
        watch_collected(p);
    struct str rest = buf_view(&p->notes), line;
    while (p->notes.n && str_next(&rest, '\n', &line))
        peer_send(peer, WIRE_NOTICE, 0, line);
    return true;
}

static void tell(struct pool *p, uint16_t type, uint32_t tag, struct str text, struct str counts)
{
    for (struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->watches > WATCH_NOTICES && !peer->dead)
            peer_send(peer, type, tag, peer->watches == WATCH_TEXT ? text : counts);
}

static bool anybody(const struct pool *p)
{
    for (const struct peer *peer = p->peers; peer; peer = peer->next)
        if (peer->watches > WATCH_NOTICES)
            return true;
    return false;
}

void watch_collected(struct pool *p)
{
    struct buf b = {0};
    pack_u32(&b, p->session.n_items);
    tell(p, WIRE_COLLECTED, 0, buf_view(&b), buf_view(&b));
    buf_release(&b);
}

void watch_module(struct pool *p, uint32_t module, const struct collected *c)
{
    struct buf b = {0};
    if (!anybody(p))
        return;
    pack_str(&b, (struct str){0});
    pack_u32(&b, c->n);
    tell(p, WIRE_MODULE, module, c->payload, buf_view(&b));
    buf_release(&b);
}

void watch_result(struct pool *p, uint32_t module, struct str payload)
{
    enum { COUNTS_BYTES = 5 }; /* item and outcome come first */
    tell(p, WIRE_RESULT, module, payload, str_slice(payload, 0, COUNTS_BYTES));
}

void watch_module_end(struct pool *p, uint32_t module, struct str flags)
{
    tell(p, WIRE_MODULE_END, module, flags, flags);
}
