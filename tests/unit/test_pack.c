#include "tests/unit/unit.h"

#include "runtime/base/pack.h"

static const char magic[8] = "FASTTEST"; /* eight bytes and no NUL */
enum { VERSION = 3 };

static const struct io_stat some_stat = {.size_bytes = 1u << 30,
                                         .mtime_ns = -5,
                                         .ctime_ns = INT64_MAX,
                                         .inode = UINT64_MAX,
                                         .kind = IO_FILE};

static void fill(struct buf *b)
{
    pack_u8(b, 0xfe);
    pack_u32(b, 0xdeadbeef);
    pack_u64(b, UINT64_MAX - 1);
    pack_str(b, STR("a\0b"));
    pack_str(b, STR(""));
    pack_hash(b, (struct hash128){.hi = 1, .lo = 2});
    pack_stat(b, &some_stat);
    pack_u32(b, 2);
    pack_u8(b, 1);
    pack_u8(b, 2);
}

static void check(struct unpack *u)
{
    assert_int_equal(unpack_u8(u), 0xfe);
    assert_int_equal(unpack_u32(u), 0xdeadbeef);
    assert_true(unpack_u64(u) == UINT64_MAX - 1);
    assert_str(unpack_str(u), "a\0b");
    assert_int_equal(unpack_str(u).n, 0);
    assert_true(hash128_eq(unpack_hash(u), (struct hash128){.hi = 1, .lo = 2}));
    struct io_stat st = unpack_stat(u);
    assert_true(io_stat_same(&st, &some_stat));
    assert_int_equal(unpack_count(u, 1), 2);
    assert_int_equal(unpack_u8(u), 1);
    assert_int_equal(unpack_u8(u), 2);
    assert_false(u->bad);
    assert_int_equal(u->n, 0);
}

static void what_is_saved_is_read(void **state)
{
    char *path = temp_path(state, "f");
    struct buf payload = {0}, file = {0};
    struct unpack u;
    struct err err = {0};
    fill(&payload);
    assert_true(pack_save(path, magic, VERSION, &payload, &err));
    for (int i = 0; i < 2; i++) { /* the second time into a used buffer */
        assert_true(pack_open(path, magic, VERSION, &file, &u));
        check(&u);
    }
    assert_false(pack_open(path, magic, VERSION + 1, &file, &u));
    assert_false(pack_open(path, "OTHERMAG", VERSION, &file, &u));
    buf_release(&payload);
    assert_true(pack_save(path, magic, VERSION, &payload, &err));
    assert_true(pack_open(path, magic, VERSION, &file, &u));
    assert_int_equal(u.n, 0);
    assert_int_equal(remove(path), 0);
    assert_false(pack_open(path, magic, VERSION, &file, &u));
    buf_release(&file);
    free(path);
}

static void write_bytes(const char *path, const struct buf *b)
{
    struct err err = {0};
    assert_true(io_replace(path, buf_view(b), &err));
}

static void every_flipped_bit_is_a_miss(void **state)
{
    char *path = temp_path(state, "f");
    struct buf payload = {0}, good = {0}, file = {0};
    struct unpack u;
    struct err err = {0};
    fill(&payload);
    assert_true(pack_save(path, magic, VERSION, &payload, &err));
    assert_true(io_read(path, 0, &good, &err));
    for (size_t i = 0; i < good.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            good.p[i] = (char)(good.p[i] ^ (1 << bit));
            write_bytes(path, &good);
            if (pack_open(path, magic, VERSION, &file, &u))
                fail_msg("bit %d of byte %zu flipped, and still accepted", bit, i);
            good.p[i] = (char)(good.p[i] ^ (1 << bit));
        }
    write_bytes(path, &good);
    assert_true(pack_open(path, magic, VERSION, &file, &u));
    buf_release(&payload);
    buf_release(&good);
    buf_release(&file);
    free(path);
}

static void every_other_length_is_a_miss(void **state)
{
    char *path = temp_path(state, "f");
    struct buf payload = {0}, good = {0}, file = {0};
    struct unpack u;
    struct err err = {0};
    fill(&payload);
    assert_true(pack_save(path, magic, VERSION, &payload, &err));
    assert_true(io_read(path, 0, &good, &err));
    for (size_t n = 0; n < good.n; n++) {
        assert_true(io_replace(path, str_slice(buf_view(&good), 0, n), &err));
        if (pack_open(path, magic, VERSION, &file, &u))
            fail_msg("cut to %zu of %zu bytes, and still accepted", n, good.n);
    }
    buf_char(&good, '\0');
    write_bytes(path, &good);
    assert_false(pack_open(path, magic, VERSION, &file, &u));
    buf_release(&payload);
    buf_release(&good);
    buf_release(&file);
    free(path);
}

/* The fields themselves, without a header: a short payload sets bad, and gives zeros. */
static void reads_past_the_end_are_bad(void **state)
{
    (void)state;
    struct buf b = {0};
    fill(&b);
    for (size_t n = 0; n < b.n; n++) {
        char *exact = malloc(n ? n : 1); /* so that the sanitizer sees one byte too many */
        memcpy(exact, b.p, n);
        struct unpack u = {(const unsigned char *)exact, n, false};
        unpack_u8(&u);
        unpack_u32(&u);
        unpack_u64(&u);
        unpack_str(&u);
        unpack_str(&u);
        unpack_hash(&u);
        unpack_stat(&u);
        unpack_count(&u, 1);
        unpack_u8(&u);
        unpack_u8(&u);
        assert_true(u.bad);
        assert_int_equal(unpack_u64(&u), 0);
        assert_int_equal(unpack_str(&u).n, 0);
        assert_int_equal(unpack_stat(&u).kind, IO_ABSENT);
        free(exact);
    }
    buf_release(&b);
}

static void counts_must_fit(void **state)
{
    (void)state;
    struct buf b = {0};
    pack_u32(&b, 3);
    pack_str(&b, STR("12345678"));
    struct unpack u = {(const unsigned char *)b.p, b.n, false};
    assert_int_equal(unpack_count(&u, 4), 3); /* 12 bytes are left */
    u = (struct unpack){(const unsigned char *)b.p, b.n, false};
    assert_int_equal(unpack_count(&u, 5), 0);
    assert_true(u.bad);
    buf_clear(&b);
    pack_u32(&b, UINT32_MAX);
    u = (struct unpack){(const unsigned char *)b.p, b.n, false};
    assert_int_equal(unpack_str(&u).n, 0);
    assert_true(u.bad);
    buf_release(&b);
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, temp_dir_new, temp_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(what_is_saved_is_read),
        IN_DIR(every_flipped_bit_is_a_miss),
        IN_DIR(every_other_length_is_a_miss),
        cmocka_unit_test(reads_past_the_end_are_bad),
        cmocka_unit_test(counts_must_fit),
    };
    return cmocka_run_group_tests_name("pack", tests, NULL, NULL);
}
