/* Any bytes as a file of the state directory, with a correct checksum: the loaders must refuse
 * or read it, never more. The first byte chooses the loader. */
#include "generator/graph/plan.h"
#include "generator/graph/record.h"
#include "runtime/base/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* The header of a valid file at path with the fuzzer's payload behind it. */
static void put_payload(const char *path, const unsigned char *data, size_t size)
{
    struct buf old = {0}, payload = {0};
    struct err err;
    if (!io_read(path, 0, &old, &err) || old.n < 12)
        abort();
    uint32_t version = 0;
    for (int i = 3; i >= 0; i--)
        version = version << 8 | (unsigned char)old.p[8 + i];
    buf_add(&payload, data, size);
    if (!pack_save(path, old.p, version, &payload, &err))
        abort();
    buf_release(&old);
    buf_release(&payload);
}

static char dir[] = "/tmp/fastest-fuzz-XXXXXX";

static void remove_dir(void)
{
    char path[64];
    snprintf(path, sizeof path, "%s/r", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/keys.bin", dir);
    unlink(path);
    rmdir(dir);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static bool ready;
    struct record record = {0};
    struct plan plan = {0};
    struct err err = {0};
    char path[64];
    if (!ready) {
        if (!mkdtemp(dir))
            abort();
        atexit(remove_dir);
        ready = true;
    }
    if (size == 0)
        return 0;
    snprintf(path, sizeof path, "%s/%s", dir, data[0] & 1 ? "r" : "keys.bin");
    plan.state_dir = str_z(dir);
    bool saved = data[0] & 1 ? record_save(&record, path, &err) : plan_save(&plan, &err);
    if (!saved)
        abort();
    put_payload(path, data + 1, size - 1);
    memset(&plan, 0, sizeof plan);
    if (data[0] & 1) {
        if (record_load(&record, path, data[0] & 2))
            record_release(&record);
    } else if (plan_load(&plan, dir, &err)) {
        plan_release(&plan);
    } else if (!err.msg[0]) {
        abort();
    }
    return 0;
}
