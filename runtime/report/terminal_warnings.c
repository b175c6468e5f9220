#include "runtime/report/terminal_warnings.h"

#include "runtime/report/text.h"

#include <stdlib.h>

enum { MANY = 10 }; /* from so many places on they are counted by file */

struct warning_group {
    struct str message;
    struct strs places;
};

static struct str keep(struct terminal_warnings *w, struct str s)
{
    return (struct str){arena_dup(&w->arena, s.p ? s.p : "", s.n), s.n};
}

void terminal_warnings_add(struct terminal_warnings *w, struct str message, struct str place)
{
    uintptr_t *known = w->known.n ? map_get(&w->known, message) : NULL;
    if (!known) {
        struct str kept = keep(w, message);
        w->groups = xgrow(w->groups, &w->cap, w->n + 1, sizeof *w->groups);
        w->groups[w->n] = (struct warning_group){.message = kept};
        known = map_put(&w->known, kept, NULL);
        *known = w->n++;
    }
    strs_add(&w->groups[*known].places, keep(w, place));
}

static struct str file_of(struct str place)
{
    for (size_t i = 0; i + 1 < place.n; i++)
        if (place.p[i] == ':' && place.p[i + 1] == ':')
            return str_slice(place, 0, i);
    return place;
}

static void put_counts(const struct strs *places, struct buf *out)
{
    struct map counts = {0};
    for (size_t i = 0; i < places->n; i++)
        ++*map_put(&counts, file_of(places->items[i]), NULL);
    for (size_t i = 0; i < places->n; i++) {
        struct str file = file_of(places->items[i]);
        uintptr_t *n = map_get(&counts, file);
        if (*n == 0)
            continue; /* is there already */
        text_raw(out, file);
        buf_printf(out, ": %zu warning%s\n", (size_t)*n, *n > 1 ? "s" : "");
        *n = 0;
    }
    map_release(&counts);
}

static void put_group(const struct warning_group *g, struct buf *out)
{
    struct str rest = g->message, line;
    while (rest.n && (rest.p[rest.n - 1] == '\n' || rest.p[rest.n - 1] == ' '))
        rest.n--;
    if (g->places.n < MANY)
        for (size_t i = 0; i < g->places.n; i++) {
            text_raw(out, g->places.items[i]);
            buf_char(out, '\n');
        }
    else
        put_counts(&g->places, out);
    while (text_next_line(&rest, &line)) {
        buf_z(out, "  ");
        text_raw(out, line);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
}

void terminal_warnings_text(const struct terminal_warnings *w, struct buf *out)
{
    for (size_t i = 0; i < w->n; i++)
        put_group(&w->groups[i], out);
}

void terminal_warnings_release(struct terminal_warnings *w)
{
    for (size_t i = 0; i < w->n; i++)
        strs_release(&w->groups[i].places);
    free(w->groups);
    map_release(&w->known);
    arena_release(&w->arena);
    *w = (struct terminal_warnings){0};
}
