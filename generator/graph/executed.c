#include "generator/graph/executed.h"

#include <string.h>

static const char magic[8] = "FSTBLCK\n";
enum { VERSION = 1 };

static void blocks_path(struct buf *out, const struct plan *p)
{
    buf_str(out, p->state_dir);
    buf_z(out, "/blocks.bin");
}

bool executed_save(const struct plan *p, const struct graph *g, struct err *err)
{
    struct buf b = {0}, path = {0};
    pack_u64(&b, p->run_id);
    for (uint32_t i = 0; i < p->n_files; i++) {
        pack_hash(&b, g->nodes[i].file->semantic);
        pack_str(&b, g->nodes[i].file->blocks);
    }
    blocks_path(&path, p);
    bool ok = pack_save(path.p, magic, VERSION, &b, err);
    buf_release(&b);
    buf_release(&path);
    return ok;
}

bool executed_load(struct executed_blocks *x, const struct plan *p)
{
    struct buf path = {0};
    struct unpack u;
    memset(x, 0, sizeof *x);
    blocks_path(&path, p);
    bool ok = pack_open(path.p, magic, VERSION, &x->file, &u) && unpack_u64(&u) == p->run_id;
    x->semantic = arena_array(&x->arena, p->n_files, sizeof *x->semantic);
    x->packed = arena_array(&x->arena, p->n_files, sizeof *x->packed);
    for (uint32_t i = 0; ok && i < p->n_files; i++) {
        x->semantic[i] = unpack_hash(&u);
        x->packed[i] = unpack_str(&u);
    }
    buf_release(&path);
    if (ok && !u.bad && !u.n)
        return true;
    executed_release(x);
    return false;
}

void executed_release(struct executed_blocks *x)
{
    buf_release(&x->file);
    arena_release(&x->arena);
    memset(x, 0, sizeof *x);
}

bool executed_holds(const struct record_executed *e, const struct index_file *now)
{
    struct blocks b;
    struct hash128 hash;
    if (hash128_eq(e->semantic, now->semantic))
        return true;
    if (hash128_is_zero(e->hash) || !blocks_open(&b, now->blocks))
        return false;
    return blocks_hash(&b, e->choice, &hash) && hash128_eq(hash, e->hash);
}

void executed_why(struct buf *out, const struct record_executed *e, const struct index_file *now)
{
    struct blocks b;
    struct str name;
    if (hash128_is_zero(e->hash) || !blocks_open(&b, now->blocks))
        return;
    if (!blocks_changed(&b, e->choice, &name))
        buf_z(out, " (what import evaluates)");
    else if (name.n)
        buf_printf(out, " (%.*s)", (int)name.n, name.p);
    else
        buf_z(out, " (a function that it ran is gone)");
}
