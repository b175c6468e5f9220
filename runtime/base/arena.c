#include "runtime/base/arena.h"

#include "runtime/base/err.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used, cap;
    max_align_t data[];
};

static void out_of_memory(size_t size)
{
    fprintf(stderr, "fastest: out of memory (%zu bytes wanted)\n", size);
    _Exit(EXIT_INTERNAL);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    if (!p)
        out_of_memory(size);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    void *q = realloc(p, size ? size : 1);
    if (!q)
        out_of_memory(size);
    return q;
}

void *xgrow(void *items, size_t *cap, size_t want, size_t size)
{
    if (want <= *cap)
        return items;
    size_t n = *cap ? *cap : 8;
    while (n < want) {
        if (n > SIZE_MAX / 2)
            out_of_memory(want);
        n *= 2;
    }
    if (size && n > SIZE_MAX / size)
        out_of_memory(want);
    *cap = n;
    return xrealloc(items, n * size);
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX - BLOCK_BYTES - align)
        out_of_memory(size);
    size = (size + align - 1) / align * align;
    struct arena_block *b = a->head;
    if (!b || b->cap - b->used < size) {
        size_t cap = size > BLOCK_BYTES ? size : BLOCK_BYTES;
        b = xmalloc(sizeof *b + cap);
        *b = (struct arena_block){.cap = cap};
        if (a->head && size > BLOCK_BYTES / 4) { /* keep filling the block at the head */
            b->next = a->head->next;
            a->head->next = b;
        } else {
            b->next = a->head;
            a->head = b;
        }
    }
    void *p = (char *)b->data + b->used;
    b->used += size;
    return memset(p, 0, size);
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        out_of_memory(count);
    return arena_alloc(a, count * size);
}

char *arena_dup(struct arena *a, const void *p, size_t n)
{
    char *copy = arena_alloc(a, n + 1);
    if (n)
        memcpy(copy, p, n);
    return copy;
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = a->head;
    while (kept && kept->cap > BLOCK_BYTES)
        kept = kept->next;
    for (struct arena_block *b = a->head, *next; b; b = next) {
        next = b->next;
        if (b != kept)
            free(b);
    }
    a->head = kept;
    if (kept) {
        kept->next = NULL;
        kept->used = 0;
    }
}

void arena_release(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
}
