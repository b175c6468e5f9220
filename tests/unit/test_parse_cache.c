/* The parse cache: what was put comes back whole, or not at all. */
#include "generator/source/parse_cache.h"
#include "runtime/base/io.h"
#include "tests/unit/unit.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int set_up(void **state)
{
    int rc = temp_dir_new(state);
    setenv("FASTEST_CACHE_DIR", *state, 1);
    unsetenv("FASTEST_CACHE_SIZE");
    return rc;
}

static struct hash128 key_of(uint64_t i)
{
    return hash128_of(&i, sizeof i);
}

static void put(uint64_t i, struct str data, uint64_t *where)
{
    struct parse_cache *c = parse_cache_open(0, false);
    parse_cache_put(c, key_of(i), data, where);
    struct err err = {0};
    assert_true(parse_cache_close(c, &err));
    assert_string_equal(err.msg, "");
}

static bool has(uint64_t i, uint64_t *where, const char *expected)
{
    struct parse_cache *c = parse_cache_open(0, true);
    struct str data = STR("");
    uint64_t none = 0;
    bool hit = parse_cache_get(c, key_of(i), where ? where : &none, &data);
    if (hit && !str_eq(data, str_z(expected)))
        fail_msg("entry %u is '%.*s'", (unsigned)i, (int)data.n, data.p);
    parse_cache_close(c, NULL);
    return hit;
}

static struct parse_cache_stats stats(void)
{
    struct parse_cache *c = parse_cache_open(0, true);
    struct parse_cache_stats s;
    parse_cache_stats(c, &s);
    s.path = STR("");
    parse_cache_close(c, NULL);
    return s;
}

static void what_was_put_is_a_hit(void **state)
{
    uint64_t one = 0, two = 0, hint;
    assert_false(has(1, NULL, ""));
    put(1, STR("first"), &one);
    put(2, STR(""), &two);
    assert_true(one > 0 && two > one);
    assert_true(has(1, NULL, "first"));
    assert_true(has(2, NULL, ""));
    assert_false(has(3, NULL, ""));
    hint = one;
    assert_true(has(1, &hint, "first"));
    assert_int_equal(hint, one);
    char *path = temp_path(state, "parse.bin");
    assert_int_equal(io_stat_path(path).size_bytes, stats().size_bytes);
    free(path);
}

static void a_wrong_hint_finds_it_all_the_same(void **state)
{
    (void)state;
    uint64_t one = 0, two = 0;
    put(1, STR("first"), &one);
    put(2, STR("second"), &two);
    const uint64_t wrong[] = {two, one + 8, one + 1, 1, 64, 1 << 20, UINT64_MAX, UINT64_MAX - 7, UINT64_MAX / 8 * 8};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uint64_t hint = wrong[i];
        assert_true(has(1, &hint, "first"));
        assert_int_equal(hint, one);
        hint = wrong[i];
        assert_false(has(7, &hint, ""));
    }
}

static void puts_are_seen_after_close_and_only_once(void **state)
{
    (void)state;
    struct str data;
    for (uint64_t key = 1; key < 3; key++) { /* into a new file, then into one that is there */
        uint64_t where = 0, again = 0;
        struct parse_cache *c = parse_cache_open(0, false);
        parse_cache_put(c, key_of(key), STR("x"), &where);
        parse_cache_put(c, key_of(key), STR("x"), &again);
        assert_false(parse_cache_get(c, key_of(key), &where, &data));
        assert_true(parse_cache_close(c, NULL));
        assert_int_equal(where, again);
        again = 0;
        put(key, STR("x"), &again);
        assert_int_equal(where, again);
        assert_true(has(key, &where, "x"));
        assert_int_equal(stats().entries, key);
    }
}

/* Opens the file as it is, asks for all, puts a new one: right or absent, and the new one is there. */
static void survives(const char *path, struct str content, const char *what, size_t at)
{
    assert_true(io_replace(path, content, NULL));
    uint64_t hint = 64;
    has(1, NULL, "first");
    has(1, &hint, "first");
    has(2, NULL, "the second entry");
    has(3, NULL, "");
    stats();
    put(4, STR("new"), NULL);
    if (!has(4, NULL, "new"))
        fail_msg("%s %zu: what was put then is not there", what, at);
}

static void any_byte_flipped_and_any_length_is_a_miss_or_right(void **state)
{
    char *path = temp_path(state, "parse.bin");
    struct buf whole = {0}, b = {0};
    put(1, STR("first"), NULL);
    put(2, STR("the second entry"), NULL);
    put(3, STR(""), NULL);
    assert_true(io_read(path, 0, &whole, NULL));
    for (size_t i = 0; i < whole.n; i++) {
        static const unsigned char masks[] = {0x01, 0x80, 0xff};
        for (size_t m = 0; m < sizeof masks; m++) {
            buf_clear(&b);
            buf_str(&b, buf_view(&whole));
            b.p[i] = (char)(b.p[i] ^ masks[m]);
            survives(path, buf_view(&b), "flipped", i);
        }
        survives(path, str_slice(buf_view(&whole), 0, i), "cut at", i);
    }
    buf_release(&whole);
    buf_release(&b);
    free(path);
}

static void a_damaged_entry_is_replaced(void **state)
{
    char *path = temp_path(state, "parse.bin");
    struct buf b = {0};
    put(1, STR("first"), NULL);
    put(2, STR("second"), NULL);
    assert_true(io_read(path, 0, &b, NULL));
    b.p[64 + 48] ^= 1; /* the first byte of "first" */
    assert_true(io_replace(path, buf_view(&b), NULL));
    assert_false(has(1, NULL, "first"));
    assert_true(has(2, NULL, "second"));
    put(1, STR("first"), NULL);
    assert_true(has(1, NULL, "first"));
    assert_true(has(2, NULL, "second"));
    buf_release(&b);
    free(path);
}

/* One entry's head is damaged: the others stay, and what a reader holds is not written over. */
static void damage_costs_one_entry_and_moves_none(void **state)
{
    enum { N = 20, HIT = 7 };
    char *path = temp_path(state, "parse.bin"), block[900];
    uint64_t where[N] = {0}, hint = 0;
    struct str held;
    struct buf b = {0};
    memset(block, 'o', sizeof block);
    for (uint64_t i = 0; i < N; i++)
        put(i, (struct str){block, sizeof block}, &where[i]);
    for (size_t at = 0; at < 24; at += 24 - 1) { /* the magic, then the high bytes of the key */
        assert_true(io_read(path, 0, &b, NULL));
        b.p[where[HIT] + at] ^= 1;
        assert_true(io_replace(path, buf_view(&b), NULL));
        struct parse_cache *reader = parse_cache_open(0, true);
        assert_true(parse_cache_get(reader, key_of(HIT + 1), &hint, &held));
        put(100 + at, STR("a new one, in front of which there is a damaged one"), NULL);
        for (size_t i = 0; i < held.n; i++)
            assert_int_equal(held.p[i], 'o');
        parse_cache_close(reader, NULL);
        struct parse_cache *c = parse_cache_open(0, true);
        for (uint64_t i = 0; i < N; i++) {
            struct str data;
            hint = 0;
            assert_int_equal(parse_cache_get(c, key_of(i), &hint, &data), i != HIT);
        }
        parse_cache_close(c, NULL);
        put(HIT, (struct str){block, sizeof block}, &where[HIT]);
        buf_clear(&b);
    }
    buf_release(&b);
    free(path);
}

static void a_torn_tail_is_not_kept(void **state)
{
    char *path = temp_path(state, "parse.bin");
    struct buf b = {0};
    put(1, STR("first"), NULL);
    put(2, STR("the second entry, which is cut"), NULL);
    assert_true(io_read(path, 0, &b, NULL));
    assert_true(io_replace(path, str_slice(buf_view(&b), 0, b.n - 8), NULL));
    put(3, STR("third"), NULL);
    assert_true(has(1, NULL, "first") && has(3, NULL, "third"));
    assert_false(has(2, NULL, ""));
    assert_int_equal(stats().entries, 2);
    assert_int_equal(stats().size_bytes, 64 + 2 * (48 + 8));
    buf_release(&b);
    free(path);
}

static void another_version_or_file_is_empty(void **state)
{
    char *path = temp_path(state, "parse.bin");
    struct buf b = {0};
    put(1, STR("first"), NULL);
    assert_true(io_read(path, 0, &b, NULL));
    b.p[8]++; /* the version */
    assert_true(io_replace(path, buf_view(&b), NULL));
    assert_false(has(1, NULL, "first"));
    assert_int_equal(stats().entries, 0);
    put(2, STR("second"), NULL); /* a new file in its place */
    assert_false(has(1, NULL, "first"));
    assert_true(has(2, NULL, "second"));
    buf_clear(&b);
    for (int i = 0; i < 500; i++)
        buf_z(&b, "no cache at all\n");
    assert_true(io_replace(path, buf_view(&b), NULL));
    assert_false(has(2, NULL, ""));
    put(2, STR("second"), NULL);
    assert_true(has(2, NULL, "second"));
    buf_release(&b);
    free(path);
}

enum { WRITERS = 4, ROUNDS = 25, PUTS = 5 };

static void write_some(uint64_t writer)
{
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct parse_cache *c = parse_cache_open(0, false);
        for (uint64_t k = 0; k < PUTS; k++) {
            char text[64];
            int n = snprintf(text, sizeof text, "%u of %u", (unsigned)(round * PUTS + k), (unsigned)writer);
            parse_cache_put(c, key_of(writer << 32 | (round * PUTS + k)), (struct str){text, (size_t)n}, NULL);
        }
        if (!parse_cache_close(c, NULL))
            _exit(1);
    }
}

static void several_processes_write(void **state)
{
    (void)state;
    pid_t pids[WRITERS];
    for (uint64_t w = 0; w < WRITERS; w++) {
        pids[w] = fork();
        if (pids[w] == 0) {
            write_some(w);
            _exit(0);
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        int status = 1;
        assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
        assert_int_equal(status, 0);
    }
    for (uint64_t w = 0; w < WRITERS; w++)
        for (uint64_t i = 0; i < ROUNDS * PUTS; i++) {
            char text[64];
            snprintf(text, sizeof text, "%u of %u", (unsigned)i, (unsigned)w);
            assert_true(has(w << 32 | i, NULL, text));
        }
    assert_int_equal(stats().entries, WRITERS * ROUNDS * PUTS);
}

/* Makes an entry look as if it was last used that many minutes ago. */
static void age(const char *path, uint64_t where, uint32_t minutes)
{
    struct buf b = {0};
    uint32_t used;
    assert_true(io_read(path, 0, &b, NULL));
    memcpy(&used, b.p + where + 4, sizeof used);
    used -= minutes;
    memcpy(b.p + where + 4, &used, sizeof used);
    assert_true(io_replace(path, buf_view(&b), NULL));
    buf_release(&b);
}

static void the_least_recently_used_goes_first(void **state)
{
    char *path = temp_path(state, "parse.bin"), block[1000];
    uint64_t where[8];
    memset(block, 'x', sizeof block);
    setenv("FASTEST_CACHE_SIZE", "8K", 1);
    assert_int_equal(stats().limit_bytes, 8192);
    for (uint64_t i = 0; i < 7; i++) {
        put(i, (struct str){block, sizeof block}, &where[i]);
        age(path, where[i], i == 2 ? 500 : i == 5 ? 300 : 10);
    }
    struct parse_cache *c = parse_cache_open(0, false); /* a hit makes 2 the newest of all */
    struct str data;
    assert_true(parse_cache_get(c, key_of(2), &where[2], &data));
    parse_cache_close(c, NULL);
    put(7, (struct str){block, sizeof block}, &where[7]);
    assert_true(io_stat_path(path).size_bytes <= 8192);
    assert_true(stats().evicted >= 2);
    block[sizeof block - 1] = '\0';
    struct hash128 gone[] = {key_of(5)}, kept[] = {key_of(7), key_of(2), key_of(6)};
    uint64_t hint = 0;
    c = parse_cache_open(0, true);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
        assert_false(parse_cache_get(c, gone[i], &hint, &data));
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        assert_true(parse_cache_get(c, kept[i], &hint, &data));
    assert_true(parse_cache_get(c, key_of(7), &where[7], &data));
    parse_cache_close(c, NULL);
    free(path);
}

static void it_stays_below_its_limit(void **state)
{
    char *path = temp_path(state, "parse.bin"), block[700];
    memset(block, 'y', sizeof block);
    setenv("FASTEST_CACHE_SIZE", "20000", 1);
    for (uint64_t i = 0; i < 200; i++) {
        put(i, (struct str){block, 1 + i * 37 % sizeof block}, NULL);
        assert_true(io_stat_path(path).size_bytes <= 20000);
    }
    struct parse_cache_stats s = stats();
    assert_int_equal(s.entries + s.evicted, 200);
    struct parse_cache *c = parse_cache_open(100, false); /* less than a header and an entry */
    parse_cache_put(c, key_of(1000), (struct str){block, sizeof block}, NULL);
    assert_true(parse_cache_close(c, NULL));
    assert_true(io_stat_path(path).size_bytes <= 100);
    free(path);
}

static void what_is_too_large_is_left_out_alone(void **state)
{
    (void)state;
    enum { LARGE = (16 << 20) + 1 };
    char *large = calloc(1, LARGE);
    uint64_t where = 0;
    assert_non_null(large);
    put(1, (struct str){large, LARGE}, &where);
    assert_false(has(1, &where, ""));
    assert_int_equal(where, 0);
    setenv("FASTEST_CACHE_SIZE", "4K", 1);
    struct parse_cache *c = parse_cache_open(0, false);
    parse_cache_put(c, key_of(2), (struct str){large, 5000}, NULL); /* over the limit: the next is kept */
    parse_cache_put(c, key_of(3), STR("small"), NULL);
    assert_true(parse_cache_close(c, NULL));
    assert_true(has(3, NULL, "small"));
    assert_int_equal(stats().entries, 1);
    free(large);
}

static void odd_limits_are_the_default(void **state)
{
    (void)state;
    static const struct { const char *text; uint64_t expected; } cases[] = {
        {"", UINT64_C(256) << 20}, {"3K", 3072},  {"5M", 5 << 20}, {"2G", UINT64_C(2) << 30}, {"77", 77},
        {"x", UINT64_C(256) << 20}, {"1X", UINT64_C(256) << 20}, {"1Kb", UINT64_C(256) << 20},
        {"0", UINT64_C(256) << 20}, {"-1", UINT64_C(256) << 20}, {"99999999999999999999", UINT64_C(256) << 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        setenv("FASTEST_CACHE_SIZE", cases[i].text, 1);
        if (stats().limit_bytes != cases[i].expected)
            fail_msg("FASTEST_CACHE_SIZE=%s", cases[i].text);
    }
}

static void hits_and_misses_are_counted_across_runs(void **state)
{
    (void)state;
    struct str data;
    uint64_t hint = 0;
    struct parse_cache *c = parse_cache_open(0, false);
    assert_false(parse_cache_get(c, key_of(1), &hint, &data));
    parse_cache_put(c, key_of(1), STR("x"), NULL);
    parse_cache_close(c, NULL);
    assert_int_equal(stats().misses, 1);
    for (int run = 0; run < 3; run++) {
        c = parse_cache_open(0, false);
        assert_true(parse_cache_get(c, key_of(1), &hint, &data));
        assert_true(parse_cache_get(c, key_of(1), &hint, &data));
        assert_false(parse_cache_get(c, key_of(2), &hint, &data));
        if (run == 2)
            parse_cache_put(c, key_of(3), STR("y"), NULL);
        parse_cache_close(c, NULL);
    }
    has(1, NULL, "x"); /* looking is not counted */
    struct parse_cache_stats s = stats();
    assert_int_equal(s.hits, 6);
    assert_int_equal(s.misses, 4);
    assert_int_equal(s.entries, 2);
    assert_int_equal(s.evicted, 0);
}

enum { THREADS = 4, GETS = 300 };

static void *get_all(void *shared)
{
    uintptr_t wrong = 0;
    for (uint64_t i = 0; i < GETS; i++) {
        uint64_t hint = 0;
        struct str data = STR("");
        bool hit = parse_cache_get(shared, key_of(i), &hint, &data);
        wrong += hit != (i % 3 != 0) || (hit && data.n != i % 50);
    }
    return (void *)wrong;
}

static void any_thread_may_get(void **state)
{
    (void)state;
    static const char text[50];
    struct parse_cache *c = parse_cache_open(0, false);
    for (uint64_t i = 0; i < GETS; i++)
        if (i % 3)
            parse_cache_put(c, key_of(i), (struct str){text, i % 50}, NULL);
    assert_true(parse_cache_close(c, NULL));
    pthread_t threads[THREADS];
    c = parse_cache_open(0, false);
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, get_all, c), 0);
    for (int t = 0; t < THREADS; t++) {
        void *wrong;
        assert_int_equal(pthread_join(threads[t], &wrong), 0);
        assert_null(wrong);
    }
    parse_cache_close(c, NULL);
    assert_int_equal(stats().hits, THREADS * GETS * 2 / 3);
    assert_int_equal(stats().misses, THREADS * GETS / 3);
}

static void its_directory_is_the_users_only(void **state)
{
    char *dir = temp_path(state, "a/b");
    struct stat st;
    setenv("FASTEST_CACHE_DIR", dir, 1);
    put(1, STR("x"), NULL);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_true(has(1, NULL, "x"));
    free(dir);
}

static void count(void *ctx, struct hash128 key, struct str data, int64_t used_s)
{
    uint64_t *n = ctx;
    assert_true(used_s > 1600000000);
    assert_true(hash128_eq(key, key_of(data.n)));
    ++*n;
}

static void each_visits_all_and_clear_removes_all(void **state)
{
    (void)state;
    uint64_t n = 0;
    struct err err = {0};
    for (uint64_t i = 0; i < 9; i++)
        put(i, (struct str){"12345678", i}, NULL);
    struct parse_cache *c = parse_cache_open(0, true);
    parse_cache_each(c, count, &n);
    parse_cache_close(c, NULL);
    assert_int_equal(n, 9);
    assert_true(parse_cache_clear(&err));
    assert_int_equal(stats().entries, 0);
    assert_true(parse_cache_clear(&err)); /* nothing there is no error */
}

static void where_there_can_be_no_cache_all_is_a_miss(void **state)
{
    struct str data;
    uint64_t hint = 0;
    struct err err = {0};
    char *path = temp_path(state, "file");
    assert_true(io_replace(path, STR("a file, not a directory"), NULL));
    setenv("FASTEST_CACHE_DIR", path, 1);
    struct parse_cache *c = parse_cache_open(0, false);
    parse_cache_put(c, key_of(1), STR("x"), &hint);
    assert_false(parse_cache_get(c, key_of(1), &hint, &data));
    assert_false(parse_cache_close(c, &err));
    assert_true(err.msg[0] != '\0');
    free(path);

    path = temp_path(state, "closed");
    assert_int_equal(mkdir(path, 0500), 0);
    setenv("FASTEST_CACHE_DIR", path, 1);
    c = parse_cache_open(0, false);
    parse_cache_put(c, key_of(1), STR("x"), NULL);
    assert_int_equal(parse_cache_close(c, &err), geteuid() == 0); /* root may write there */
    free(path);
}

static void a_read_only_user_changes_nothing(void **state)
{
    char *path = temp_path(state, "parse.bin");
    struct buf before = {0}, after = {0};
    put(1, STR("x"), NULL);
    assert_true(io_read(path, 0, &before, NULL));
    struct parse_cache *c = parse_cache_open(0, true);
    struct str data;
    uint64_t hint = 0;
    assert_true(parse_cache_get(c, key_of(1), &hint, &data));
    assert_false(parse_cache_get(c, key_of(2), &hint, &data));
    parse_cache_put(c, key_of(2), STR("y"), NULL);
    assert_true(parse_cache_close(c, NULL));
    assert_true(io_read(path, 0, &after, NULL));
    assert_true(str_eq(buf_view(&before), buf_view(&after)));
    buf_release(&before);
    buf_release(&after);
    free(path);
}

#define test(f) cmocka_unit_test_setup_teardown(f, set_up, temp_dir_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(what_was_put_is_a_hit),
        test(a_wrong_hint_finds_it_all_the_same),
        test(puts_are_seen_after_close_and_only_once),
        test(any_byte_flipped_and_any_length_is_a_miss_or_right),
        test(a_damaged_entry_is_replaced),
        test(damage_costs_one_entry_and_moves_none),
        test(a_torn_tail_is_not_kept),
        test(another_version_or_file_is_empty),
        test(several_processes_write),
        test(the_least_recently_used_goes_first),
        test(it_stays_below_its_limit),
        test(what_is_too_large_is_left_out_alone),
        test(odd_limits_are_the_default),
        test(hits_and_misses_are_counted_across_runs),
        test(any_thread_may_get),
        test(its_directory_is_the_users_only),
        test(each_visits_all_and_clear_removes_all),
        test(where_there_can_be_no_cache_all_is_a_miss),
        test(a_read_only_user_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
