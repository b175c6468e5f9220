#include "runtime/report/log.h"

static struct str copy(struct arena *a, struct str s)
{
    return (struct str){arena_dup(a, s.p, s.n), s.n};
}

/* "name:file:12" ends at the first space after the level. */
static bool split_origin(struct str origin, struct str *logger, struct str *file, int64_t *line)
{
    size_t last = str_rchr(origin, ':');
    if (last == origin.n || last + 1 == origin.n)
        return false;
    *line = 0;
    for (size_t i = last + 1; i < origin.n; i++) {
        if (origin.p[i] < '0' || origin.p[i] > '9' || i - last > 9)
            return false;
        *line = *line * 10 + (origin.p[i] - '0');
    }
    struct str names = str_slice(origin, 0, last);
    size_t colon = str_rchr(names, ':');
    if (colon == names.n)
        return false;
    *logger = str_slice(names, 0, colon);
    *file = str_slice(names, colon + 1, names.n);
    return true;
}

static bool split_line(struct str line, struct log_line *out)
{
    size_t end = str_chr(line, ' ');
    if (end == 0 || end == line.n)
        return false;
    out->level = str_slice(line, 0, end);
    while (end < line.n && line.p[end] == ' ')
        end++;
    struct str rest = str_slice(line, end, line.n);
    size_t space = str_chr(rest, ' ');
    out->message = str_slice(rest, space + 1, rest.n);
    return split_origin(str_slice(rest, 0, space), &out->logger, &out->file, &out->line);
}

static struct str first_line(struct str s)
{
    return str_slice(s, 0, str_chr(s, '\n'));
}

bool log_next(struct str *rest, struct arena *a, struct log_line *out)
{
    struct log_line ignored;
    if (rest->n == 0)
        return false;
    *out = (struct log_line){0};
    struct str text = *rest, line = first_line(text);
    if (!split_line(line, out))
        *out = (struct log_line){.message = line};
    size_t used = line.n;
    while (used < text.n) {
        struct str next = first_line(str_slice(text, used + 1, text.n));
        if (split_line(next, &ignored))
            break;
        used += 1 + next.n;
    }
    out->message.n = (size_t)(text.p + used - out->message.p);
    *rest = str_slice(text, used + 1, text.n);
    if (used >= text.n)
        *rest = (struct str){text.p, 0};
    while (out->message.n && out->message.p[out->message.n - 1] == '\n')
        out->message.n--;
    out->message = copy(a, out->message);
    if (out->level.p) {
        out->level = copy(a, out->level);
        out->logger = copy(a, out->logger);
        out->file = copy(a, out->file);
    }
    return true;
}
