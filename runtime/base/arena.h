/* Region allocator: everything in an arena is freed at once.
 *
 * Calling sequence: struct arena a = {0}; p = arena_alloc(&a, n); … arena_release(&a);
 * A zeroed struct is an empty arena. Allocation never returns NULL: running out of
 * memory ends the process with exit code 3 (EXIT_INTERNAL) and one line on stderr.
 * Not thread-safe: one arena a thread. Safe across fork (plain memory). */
#ifndef FASTEST_BASE_ARENA_H
#define FASTEST_BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
    struct arena_block *head;
};

/* size bytes, zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* count * size bytes, zeroed; an overflow of the product ends the process. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* Copies n bytes and appends a NUL. */
char *arena_dup(struct arena *a, const void *p, size_t n);
/* Frees everything; the arena is empty and usable again. */
void arena_release(struct arena *a);

/* The same, but keeps one block for what comes next: for an arena that is used over and over. */
void arena_reset(struct arena *a);

/* malloc and realloc that end the process when memory runs out; the caller frees. */
void *xmalloc(size_t size);
void *xrealloc(void *p, size_t size);
/* Grows *items (elements of `size` bytes, capacity *cap) so that it holds at least `want`. */
void *xgrow(void *items, size_t *cap, size_t want, size_t size);

#endif
