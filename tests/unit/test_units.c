/* Numbers with units. */
#include "runtime/base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void durations(void **state)
{
    static const struct {
        const char *text;
        uint32_t ms;
    } good[] = {{"1", 1000}, {"0", 0}, {"1.5", 1500}, {"2m", 120000}, {"1h", 3600000}, {"200ms", 200}, {"0.0001", 1}, {"3s", 3000}};
    static const char *const bad[] = {"", "x", "-1", "1.2.3", "5 s", ".5", "1d", "100000000000", "s"};
    uint32_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(units_duration_ms(str_z(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(units_duration_ms(str_z(bad[i]), &ms));
}

static void sizes(void **state)
{
    uint64_t n;
    (void)state;
    assert_true(units_size_bytes(STR("512M"), &n));
    assert_int_equal(n, 512u << 20);
    assert_true(units_size_bytes(STR("1.5GB"), &n));
    assert_int_equal(n, 3u << 29);
    assert_true(units_size_bytes(STR("4096"), &n));
    assert_int_equal(n, 4096);
    assert_false(units_size_bytes(STR("1T"), &n));
    assert_false(units_size_bytes(STR(""), &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(durations), cmocka_unit_test(sizes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
