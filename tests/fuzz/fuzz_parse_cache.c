/* Any bytes as the cache file: what it gives is a whole entry or nothing, and it can be written again. */
#include "generator/source/parse_cache.h"
#include "runtime/base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static char dir[] = "/tmp/fastest-fuzz-cache-XXXXXX", path[64];

static void remove_all(void)
{
    char lock[64];
    snprintf(lock, sizeof lock, "%s/parse.lock", dir);
    unlink(path);
    unlink(lock);
    rmdir(dir);
}

static void set_up(void)
{
    if (path[0])
        return;
    if (!mkdtemp(dir))
        abort();
    snprintf(path, sizeof path, "%s/parse.bin", dir);
    setenv("FASTEST_CACHE_DIR", dir, 1);
    atexit(remove_all);
}

struct seen {
    struct hash128 keys[16];
    size_t n;
    uint64_t sum;
};

static void see(void *ctx, struct hash128 key, struct str data, int64_t used_s)
{
    struct seen *s = ctx;
    if (used_s < 0)
        abort();
    for (size_t i = 0; i < data.n; i++)
        s->sum += (unsigned char)data.p[i];
    if (s->n < sizeof s->keys / sizeof *s->keys)
        s->keys[s->n++] = key;
}

static void read_all(const unsigned char *data, size_t size)
{
    struct seen seen = {.n = 0};
    struct str found;
    uint64_t hint = 0;
    struct parse_cache *c = parse_cache_open(0, false);
    parse_cache_each(c, see, &seen);
    for (size_t i = 0; i < seen.n; i++) {
        hint = i && size > i ? data[size - i] : 0;
        if (parse_cache_get(c, seen.keys[i], &hint, &found))
            seen.sum += found.n ? (unsigned char)found.p[found.n - 1] : 0;
        hint = 64 + 8 * i;
        parse_cache_get(c, seen.keys[i], &hint, &found);
    }
    parse_cache_put(c, (struct hash128){1, 2}, STR("what is new"), &hint);
    parse_cache_close(c, NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    set_up();
    if (!io_replace(path, (struct str){(const char *)data, size}, NULL))
        return 0;
    read_all(data, size);
    struct parse_cache *c = parse_cache_open(0, true);
    struct str found;
    uint64_t where = 0;
    if (!parse_cache_get(c, (struct hash128){1, 2}, &where, &found) || !str_eq(found, STR("what is new")))
        abort();
    parse_cache_close(c, NULL);
    return 0;
}
