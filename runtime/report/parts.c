#include "runtime/report/parts.h"

#include "runtime/base/arena.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file: magic, the parts' totals and texts, the places, then this. */
struct trailer {
    char magic[8];
    uint64_t at, n, check; /* of the places */
};
static const char magic[8] = "FSTPART5";
enum { CHUNK = 1 << 16 };

/* ---- reading ---- */

static bool map_file(struct part_store *s, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > (off_t)sizeof(struct trailer)) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED) {
            s->map = p;
            s->n = (size_t)st.st_size;
        }
    }
    close(fd);
    return s->map != NULL;
}

static bool read_places(struct part_store *s)
{
    struct trailer t;
    size_t end = s->n - sizeof t;
    memcpy(&t, s->map + end, sizeof t);
    if (memcmp(t.magic, magic, sizeof magic) != 0 || t.n > end / sizeof(struct part_place) ||
        t.at > end || t.n * sizeof(struct part_place) != end - t.at ||
        hash64_of(s->map + t.at, end - t.at) != t.check)
        return false;
    s->n_places = (uint32_t)t.n;
    s->places = xmalloc((size_t)(t.n + 1) * sizeof *s->places);
    memcpy(s->places, s->map + t.at, end - t.at); /* the file need not be aligned */
    return true;
}

static struct str key_of(const struct part_place *p)
{
    return (struct str){(const char *)&p->identity, sizeof p->identity};
}

bool part_store_load(struct part_store *s, const char *path)
{
    *s = (struct part_store){0};
    if (!map_file(s, path) || !read_places(s)) {
        part_store_release(s);
        return false;
    }
    for (uint32_t i = 0; i < s->n_places; i++)
        if (!hash128_is_zero(s->places[i].identity))
            *map_put(&s->index, key_of(&s->places[i]), NULL) = i;
    return true;
}

void part_store_release(struct part_store *s)
{
    if (s->map)
        munmap((void *)(uintptr_t)s->map, s->n);
    free(s->places);
    map_release(&s->index);
    *s = (struct part_store){0};
}

static uint64_t size_of(const struct part_place *p)
{
    uint64_t n = 0;
    for (int i = 0; i <= PART_TEXTS; i++)
        n += p->sizes[i];
    return n;
}

bool part_store_find(const struct part_store *s, struct hash128 identity, struct totals *totals,
                     struct str texts[PART_TEXTS])
{
    struct part_place wanted = {.identity = identity};
    uintptr_t *at = s->index.n ? map_get(&s->index, key_of(&wanted)) : NULL;
    if (!at)
        return false;
    const struct part_place *p = &s->places[*at];
    if (p->at > s->n || size_of(p) > s->n - p->at || hash64_of(s->map + p->at, size_of(p)) != p->check)
        return false;
    const char *text = s->map + p->at;
    struct unpack u = {.p = (const unsigned char *)text, .n = p->sizes[PART_TEXTS]};
    totals_unpack(totals, &u);
    text += p->sizes[PART_TEXTS];
    for (int i = 0; i < PART_TEXTS; i++) {
        texts[i] = (struct str){text, p->sizes[i]};
        text += p->sizes[i];
    }
    return !u.bad;
}

/* ---- writing ---- */

bool part_writer_open(struct part_writer *w, const char *path, struct err *err)
{
    *w = (struct part_writer){0};
    if (!out_open(&w->out, path, err))
        return false;
    out_str(&w->out, (struct str){magic, sizeof magic});
    return true;
}

void part_writer_add(struct part_writer *w, struct hash128 identity, const struct totals *totals,
                     const struct str texts[PART_TEXTS])
{
    struct buf all = {0};
    w->places = xgrow(w->places, &w->cap, w->n + 1, sizeof *w->places);
    struct part_place *p = &w->places[w->n++];
    *p = (struct part_place){.identity = identity, .at = w->out.n};
    totals_pack(totals, &all);
    p->sizes[PART_TEXTS] = all.n;
    for (int i = 0; i < PART_TEXTS; i++) {
        p->sizes[i] = texts[i].n;
        buf_str(&all, texts[i]);
    }
    p->check = hash64_of(all.p, all.n);
    out_str(&w->out, buf_view(&all));
    buf_release(&all);
}

static bool copy_bytes(struct part_writer *w, uint64_t at, uint64_t n, struct out *to)
{
    char chunk[CHUNK];
    while (n > 0) {
        ssize_t got = pread(w->out.fd, chunk, n < CHUNK ? (size_t)n : CHUNK, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            to->error = got < 0 ? errno : EIO;
            return false;
        }
        out_str(to, (struct str){chunk, (size_t)got});
        at += (uint64_t)got;
        n -= (uint64_t)got;
    }
    return true;
}

static uint64_t place_of(const struct part_place *p, enum part_text text)
{
    uint64_t at = p->at + p->sizes[PART_TEXTS];
    for (int k = 0; k < (int)text; k++)
        at += p->sizes[k];
    return at;
}

bool part_writer_text(struct part_writer *w, size_t i, enum part_text text, struct buf *b)
{
    const struct part_place *p = &w->places[i];
    size_t n = (size_t)p->sizes[text];
    if (n == 0)
        return true;
    if (!out_flush(&w->out))
        return false;
    buf_reserve(b, n);
    ssize_t got;
    do
        got = pread(w->out.fd, b->p + b->n, n, (off_t)place_of(p, text));
    while (got < 0 && errno == EINTR);
    if (got != (ssize_t)n)
        return false;
    b->n += n;
    b->p[b->n] = '\0';
    return true;
}

bool part_writer_texts(struct part_writer *w, enum part_text text, const char *separator, struct out *to)
{
    bool ok = out_flush(&w->out), any = false;
    for (size_t i = 0; ok && i < w->n; i++) {
        const struct part_place *p = &w->places[i];
        uint64_t at = place_of(p, text);
        if (p->sizes[text] == 0)
            continue;
        if (any)
            out_str(to, str_z(separator));
        any = true;
        ok = copy_bytes(w, at, p->sizes[text], to);
    }
    return ok;
}

bool part_writer_close(struct part_writer *w, bool keep, struct err *err)
{
    bool ok = true;
    if (keep) {
        struct str places = {(const char *)w->places, w->n * sizeof *w->places};
        struct trailer t = {.at = w->out.n, .n = w->n, .check = hash64_of(places.p, places.n)};
        memcpy(t.magic, magic, sizeof magic);
        out_str(&w->out, places);
        out_str(&w->out, (struct str){(const char *)&t, sizeof t});
        ok = out_close(&w->out, err);
    } else {
        out_cancel(&w->out);
    }
    free(w->places);
    return ok;
}
