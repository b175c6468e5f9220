#include "generator/graph/plan.h"

#include "generator/graph/record.h"
#include "runtime/base/pack.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static const char magic[8] = "FSTPLAN\n";
enum { VERSION = 7, LIST = 0, BITS = 1 };

/* A closure as a list of indices or as a bit set, whichever is smaller. */
static void pack_closure(struct buf *b, const struct plan_module *m, uint32_t n_files)
{
    uint32_t n_bytes = n_files / 8 + 1;
    bool bits = (uint64_t)m->n_files * 4 > n_bytes;
    pack_u8(b, bits ? BITS : LIST);
    pack_u32(b, bits ? n_bytes : m->n_files);
    if (!bits) {
        for (uint32_t i = 0; i < m->n_files; i++)
            pack_u32(b, m->files[i]);
        return;
    }
    buf_reserve(b, n_bytes);
    unsigned char *set = (unsigned char *)b->p + b->n;
    memset(set, 0, n_bytes);
    for (uint32_t i = 0; i < m->n_files; i++)
        set[m->files[i] / 8] |= (unsigned char)(1u << (m->files[i] % 8));
    b->n += n_bytes;
    b->p[b->n] = '\0';
}

static void unpack_bits(struct plan *p, struct plan_module *m, struct unpack *u, uint32_t n_bytes)
{
    if (u->bad || n_bytes != p->n_files / 8 + 1) {
        u->bad = true;
        return;
    }
    const unsigned char *set = u->p;
    uint32_t count = 0;
    for (uint32_t i = 0; i < n_bytes; i++)
        count += (uint32_t)__builtin_popcount(set[i]);
    m->files = arena_array(&p->arena, count, sizeof *m->files);
    for (uint32_t i = 0; i < p->n_files; i++)
        if (set[i / 8] & (1u << (i % 8)))
            m->files[m->n_files++] = i;
    u->p += n_bytes;
    u->n -= n_bytes;
}

static void unpack_closure(struct plan *p, struct plan_module *m, struct unpack *u)
{
    bool bits = unpack_u8(u) == BITS;
    uint32_t n = unpack_count(u, bits ? 1 : 4);
    if (bits) {
        unpack_bits(p, m, u, n);
        return;
    }
    m->files = arena_array(&p->arena, n, sizeof *m->files);
    m->n_files = n;
    for (uint32_t i = 0; i < n; i++) {
        m->files[i] = unpack_u32(u);
        if (m->files[i] >= p->n_files)
            u->bad = true;
    }
}

const char *optimizer_name(enum optimizer o)
{
    static const char *const names[] = {
        [OPTIMIZER_OPTIMIZED] = "optimized", [OPTIMIZER_STANDARD] = "standard", [OPTIMIZER_PARALLEL] = "parallel",
        [OPTIMIZER_AGGRESSIVE] = "aggressive", [OPTIMIZER_VERIFY] = "verify"};
    return o < N_OPTIMIZERS ? names[o] : NULL;
}

static void pack_options(struct buf *b, const struct plan_options *o)
{
    pack_str(b, o->python);
    pack_str(b, o->pytest_cache);
    pack_str(b, o->tty);
    pack_str(b, o->junit);
    pack_str(b, o->json);
    pack_str(b, o->report_log);
    pack_str(b, o->trace);
    pack_u32(b, o->output);
    pack_u8(b, (uint8_t)(o->tap | o->tap14 << 1 | o->github << 2 | o->teamcity << 3));
    pack_u32(b, o->workers);
    pack_u32(b, o->jobs);
    pack_str(b, o->job_input);
    pack_str(b, o->job_output);
    pack_u8(b, o->job_edges);
    pack_u32(b, o->maxfail);
    pack_u32(b, o->verbosity);
    pack_u8(b, (uint8_t)o->optimizer);
    pack_u8(b, o->live);
    pack_u8(b, (uint8_t)o->isolation);
    pack_u32(b, o->batch_timeout_ms);
    pack_u32(b, o->slow_ms);
    pack_u32(b, o->idle_ms);
    pack_u32(b, o->retries);
    pack_u64(b, o->worker_memory);
    pack_u8(b, o->confirms);
    pack_u8(b, o->persistent);
    pack_u8(b, o->color);
}

static void unpack_options(struct unpack *u, struct plan_options *o)
{
    o->python = unpack_str(u);
    o->pytest_cache = unpack_str(u);
    o->tty = unpack_str(u);
    o->junit = unpack_str(u);
    o->json = unpack_str(u);
    o->report_log = unpack_str(u);
    o->trace = unpack_str(u);
    o->output = unpack_u32(u);
    uint8_t printed = unpack_u8(u);
    o->tap = printed & 1;
    o->tap14 = printed & 2;
    o->github = printed & 4;
    o->teamcity = printed & 8;
    o->workers = unpack_u32(u);
    o->jobs = unpack_u32(u);
    o->job_input = unpack_str(u);
    o->job_output = unpack_str(u);
    o->job_edges = unpack_u8(u) != 0;
    o->maxfail = unpack_u32(u);
    o->verbosity = unpack_u32(u);
    uint8_t optimizer = unpack_u8(u);
    o->live = unpack_u8(u) != 0;
    uint8_t isolation = unpack_u8(u);
    if (optimizer >= N_OPTIMIZERS || isolation >= N_ISOLATIONS)
        u->bad = true;
    o->optimizer = (enum optimizer)optimizer;
    o->isolation = (enum isolation)isolation;
    o->batch_timeout_ms = unpack_u32(u);
    o->slow_ms = unpack_u32(u);
    o->idle_ms = unpack_u32(u);
    o->retries = unpack_u32(u);
    o->worker_memory = unpack_u64(u);
    o->confirms = unpack_u8(u) != 0;
    o->persistent = unpack_u8(u) != 0;
    o->color = unpack_u8(u) != 0;
}

static void pack_list(struct buf *b, const struct str *items, uint32_t n)
{
    pack_u32(b, n);
    for (uint32_t i = 0; i < n; i++)
        pack_str(b, items[i]);
}

static struct str *unpack_list(struct unpack *u, struct arena *a, uint32_t *n)
{
    *n = unpack_count(u, 4);
    struct str *items = arena_array(a, *n, sizeof *items);
    for (uint32_t i = 0; i < *n; i++)
        items[i] = unpack_str(u);
    return items;
}

static void pack_groups(struct buf *b, const struct plan *p)
{
    pack_u32(b, p->n_groups);
    for (uint32_t i = 0; i < p->n_groups; i++) {
        pack_str(b, p->groups[i].name);
        pack_str(b, p->groups[i].glob);
    }
}

static void unpack_groups(struct unpack *u, struct plan *p)
{
    p->n_groups = unpack_count(u, 8);
    p->groups = arena_array(&p->arena, p->n_groups, sizeof *p->groups);
    for (uint32_t i = 0; i < p->n_groups; i++) {
        p->groups[i].name = unpack_str(u);
        p->groups[i].glob = unpack_str(u);
    }
}

static void pack_head(struct buf *b, const struct plan *p)
{
    pack_u64(b, p->run_id);
    pack_u64(b, (uint64_t)p->scan_start_ns);
    pack_str(b, p->root);
    pack_str(b, p->cwd);
    pack_str(b, p->state_dir);
    pack_list(b, p->args, p->n_args);
    pack_list(b, p->report, p->n_report);
    pack_list(b, p->only, p->n_only);
    pack_list(b, p->first, p->n_first);
    pack_hash(b, p->sources);
    pack_hash(b, p->contents);
    pack_hash(b, p->environment);
    pack_options(b, &p->options);
    pack_list(b, p->serial, p->n_serial);
    pack_groups(b, p);
    pack_u8(b, p->other);
}

static void unpack_head(struct unpack *u, struct plan *p)
{
    p->run_id = unpack_u64(u);
    p->scan_start_ns = (int64_t)unpack_u64(u);
    p->root = unpack_str(u);
    p->cwd = unpack_str(u);
    p->state_dir = unpack_str(u);
    p->args = unpack_list(u, &p->arena, &p->n_args);
    p->report = unpack_list(u, &p->arena, &p->n_report);
    p->only = unpack_list(u, &p->arena, &p->n_only);
    p->first = unpack_list(u, &p->arena, &p->n_first);
    p->sources = unpack_hash(u);
    p->contents = unpack_hash(u);
    p->environment = unpack_hash(u);
    unpack_options(u, &p->options);
    p->serial = unpack_list(u, &p->arena, &p->n_serial);
    unpack_groups(u, p);
    p->other = unpack_u8(u) != 0;
}

static void pack_module(struct buf *b, const struct plan_module *m, uint32_t n_files)
{
    pack_str(b, m->path);
    pack_str(b, m->rel);
    pack_str(b, m->record);
    pack_hash(b, m->key);
    pack_hash(b, m->loose);
    pack_u32(b, m->batch);
    pack_u8(b, m->stale);
    pack_u32(b, m->took_ms);
    pack_str(b, m->why);
    pack_closure(b, m, n_files);
}

static void unpack_module(struct unpack *u, struct plan *p, struct plan_module *m)
{
    m->path = unpack_str(u);
    m->rel = unpack_str(u);
    m->record = unpack_str(u);
    m->key = unpack_hash(u);
    m->loose = unpack_hash(u);
    m->batch = unpack_u32(u);
    m->stale = unpack_u8(u) != 0;
    m->took_ms = unpack_u32(u);
    m->why = unpack_str(u);
    unpack_closure(p, m, u);
    if (m->batch >= p->n_batches)
        u->bad = true;
}

static void plan_path(struct buf *out, struct str state_dir)
{
    buf_str(out, state_dir);
    buf_z(out, "/keys.bin");
}

bool plan_save(const struct plan *p, struct err *err)
{
    struct buf b = {0}, path = {0};
    pack_head(&b, p);
    pack_u32(&b, p->n_files);
    for (uint32_t i = 0; i < p->n_files; i++) {
        pack_str(&b, p->files[i].path);
        pack_stat(&b, &p->files[i].st);
        pack_u32(&b, p->files[i].flags);
    }
    pack_u32(&b, p->n_batches);
    for (uint32_t i = 0; i < p->n_batches; i++) {
        pack_str(&b, p->batches[i].name);
        pack_u32(&b, p->batches[i].first);
        pack_u32(&b, p->batches[i].count);
    }
    pack_u32(&b, p->n_modules);
    for (uint32_t i = 0; i < p->n_modules; i++)
        pack_module(&b, &p->modules[i], p->n_files);
    plan_path(&path, p->state_dir);
    bool ok = pack_save(path.p, magic, VERSION, &b, err);
    buf_release(&b);
    buf_release(&path);
    return ok;
}

static bool plan_unpack(struct plan *p, struct unpack *u)
{
    unpack_head(u, p);
    p->n_files = unpack_count(u, 4);
    p->files = arena_array(&p->arena, p->n_files, sizeof *p->files);
    for (uint32_t i = 0; i < p->n_files; i++) {
        p->files[i].path = unpack_str(u);
        p->files[i].st = unpack_stat(u);
        p->files[i].flags = unpack_u32(u);
    }
    p->n_batches = unpack_count(u, 12);
    p->batches = arena_array(&p->arena, p->n_batches, sizeof *p->batches);
    for (uint32_t i = 0; i < p->n_batches; i++) {
        p->batches[i].name = unpack_str(u);
        p->batches[i].first = unpack_u32(u);
        p->batches[i].count = unpack_u32(u);
    }
    p->n_modules = unpack_count(u, 44);
    p->modules = arena_array(&p->arena, p->n_modules, sizeof *p->modules);
    for (uint32_t i = 0; i < p->n_modules && !u->bad; i++)
        unpack_module(u, p, &p->modules[i]);
    for (uint32_t i = 0; i < p->n_batches; i++)
        if ((uint64_t)p->batches[i].first + p->batches[i].count > p->n_modules)
            u->bad = true;
    return !u->bad && p->run_id != 0;
}

bool plan_load(struct plan *p, const char *state_dir, struct err *err)
{
    struct buf path = {0};
    struct unpack u;
    memset(p, 0, sizeof *p);
    plan_path(&path, str_z(state_dir));
    bool ok = pack_open(path.p, magic, VERSION, &p->file, &u) && plan_unpack(p, &u);
    if (!ok) {
        plan_release(p);
        err_set(err, "%s: missing, damaged or of another version; run fastest (or ninja test) again "
                     "to write it anew", path.p);
    }
    buf_release(&path);
    return ok;
}

void plan_release(struct plan *p)
{
    arena_release(&p->arena);
    buf_release(&p->file);
    memset(p, 0, sizeof *p);
}

/* ---- marks ---- */

enum { RUN_ID_CHARS = 17 }; /* in hexadecimal, and a newline */

static void mark_path(struct buf *out, const struct plan *p, const char *name)
{
    buf_str(out, p->state_dir);
    buf_char(out, '/');
    buf_z(out, name);
}

bool plan_marked(const struct plan *p, const char *name, struct buf *text)
{
    struct buf path = {0}, file = {0}, id = {0};
    mark_path(&path, p, name);
    buf_printf(&id, "%016" PRIx64 "\n", p->run_id);
    bool ours = io_stat_path(path.p).kind == IO_FILE && io_read(path.p, 0, &file, NULL) &&
                file.n >= RUN_ID_CHARS && memcmp(file.p, id.p, RUN_ID_CHARS) == 0;
    if (ours && text)
        buf_str(text, (struct str){file.p + RUN_ID_CHARS, file.n - RUN_ID_CHARS});
    buf_release(&path);
    buf_release(&file);
    buf_release(&id);
    return ours;
}

bool plan_mark(const struct plan *p, const char *name, struct str text)
{
    struct buf path = {0}, b = {0};
    mark_path(&path, p, name);
    int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && !plan_marked(p, name, NULL)) {
        unlink(path.p);
        fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    bool ok = fd >= 0;
    if (ok) {
        buf_printf(&b, "%016" PRIx64 "\n", p->run_id);
        buf_str(&b, text);
        ok = io_write_all(fd, b.p, b.n);
        if (!ok)
            unlink(path.p);
        close(fd);
    }
    buf_release(&path);
    buf_release(&b);
    return ok;
}

struct str plan_report(const struct plan *p, const char *name)
{
    struct str wanted = str_z(name);
    for (uint32_t i = 0; i < p->n_report; i++) {
        struct str s = p->report[i];
        if (str_starts(s, wanted) && s.n > wanted.n && s.p[wanted.n] == '=')
            return str_slice(s, wanted.n + 1, s.n);
    }
    return (struct str){0};
}

void plan_unmark(const struct plan *p, const char *name)
{
    struct buf path = {0};
    mark_path(&path, p, name);
    unlink(path.p);
    buf_release(&path);
}

bool plan_batch_stale(const struct plan *p, const struct plan_batch *b)
{
    for (uint32_t i = b->first; i < b->first + b->count; i++)
        if (p->modules[i].stale)
            return true;
    return b->count == 0;
}

const struct plan_batch *plan_find_batch(const struct plan *p, struct str name)
{
    for (uint32_t i = 0; i < p->n_batches; i++)
        if (str_eq(p->batches[i].name, name))
            return &p->batches[i];
    return NULL;
}

bool plan_sources_hold(const struct plan *p, uint32_t flags, struct hash128 sources)
{
    if (flags & REC_ALL_FILES)
        return !hash128_is_zero(sources) && hash128_eq(sources, p->contents);
    return !(flags & REC_ALL_SOURCES) || hash128_eq(sources, p->sources);
}
