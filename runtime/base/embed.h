/* The files that travel inside the binary (runtime/worker/, generator/config/, runtime/report/page/), made by
 * GNUmakefile. name is the path in the repository; the table ends with a NULL name. */
#ifndef FASTEST_BASE_EMBED_H
#define FASTEST_BASE_EMBED_H

#include <stddef.h>

struct embed_file {
    const char *name;
    const char *text; /* NUL-terminated */
    size_t size;      /* without the NUL */
};
extern const struct embed_file embed_files[];

/* NULL when there is no such file. */
const struct embed_file *embed_find(const char *name);

#endif
