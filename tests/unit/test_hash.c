#include "tests/unit/unit.h"

#include "runtime/base/hash.h"

/* Known answers of XXH3 for the empty input and "abc" (xxhsum -H2, -H3). */
static void known_answers(void **state)
{
    (void)state;
    char hex[33];
    hash128_hex(hash128_of("", 0), hex);
    assert_string_equal(hex, "99aa06d3014798d86001c324468d497f");
    hash128_hex(hash128_of("abc", 3), hex);
    assert_string_equal(hex, "06b05ab6733a618578af5f94892f3950");
    assert_true(hash64_of("", 0) == 0x2d06800538d394c2u);
    assert_true(hash64_of(NULL, 0) == hash64_of("", 0));
    assert_true(hash64_of("abc", 3) == 0x78af5f94892f3950u);
}

static void streaming_equals_one_shot(void **state)
{
    (void)state;
    unsigned char data[3000];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 31 + i / 256);
    static const size_t steps[] = {1, 7, 64, 255, 1024, 3000};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        struct hasher *h = hasher_new();
        hasher_add(h, NULL, 0);
        for (size_t at = 0; at < sizeof data; at += steps[s])
            hasher_add(h, data + at, at + steps[s] <= sizeof data ? steps[s] : sizeof data - at);
        assert_true(hash128_eq(hasher_done(h), hash128_of(data, sizeof data)));
    }
}

static struct hash128 of_two(struct str a, struct str b)
{
    struct hasher *h = hasher_new();
    hasher_str(h, a);
    hasher_str(h, b);
    return hasher_done(h);
}

static void parts_do_not_run_together(void **state)
{
    (void)state;
    assert_false(hash128_eq(of_two(STR("ab"), STR("c")), of_two(STR("a"), STR("bc"))));
    assert_false(hash128_eq(of_two(STR(""), STR("a")), of_two(STR("a"), STR(""))));
    assert_true(hash128_eq(of_two(STR("ab"), STR("c")), of_two(STR("ab"), STR("c"))));
}

static void numbers_and_hashes_are_little_endian(void **state)
{
    (void)state;
    struct hasher *h = hasher_new();
    hasher_u64(h, 0x0807060504030201u);
    assert_true(hash128_eq(hasher_done(h), hash128_of("\1\2\3\4\5\6\7\10", 8)));
    h = hasher_new();
    hasher_hash(h, (struct hash128){.hi = 1, .lo = 2});
    assert_true(hash128_eq(hasher_done(h), hash128_of("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0", 16)));
}

static void zero_means_none(void **state)
{
    (void)state;
    char hex[33];
    assert_true(hash128_is_zero((struct hash128){0}));
    assert_false(hash128_is_zero((struct hash128){.hi = 1}));
    assert_false(hash128_is_zero((struct hash128){.lo = 1}));
    assert_false(hash128_eq((struct hash128){.hi = 1}, (struct hash128){.lo = 1}));
    hash128_hex((struct hash128){.hi = 1, .lo = 0xabc}, hex);
    assert_string_equal(hex, "00000000000000010000000000000abc");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(streaming_equals_one_shot),
        cmocka_unit_test(parts_do_not_run_together),
        cmocka_unit_test(numbers_and_hashes_are_little_endian),
        cmocka_unit_test(zero_means_none),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
