#include "tests/unit/unit.h"

#include "runtime/base/clock.h"

#include <limits.h>
#include <time.h>

static void clocks_go_forward(void **state)
{
    (void)state;
    int64_t mono = clock_mono_ns(), wall = clock_wall_ns();
    assert_true(mono > 0);
    assert_true(wall / 1000000000 - (int64_t)time(NULL) <= 1);
    assert_true(wall / 1000000000 - (int64_t)time(NULL) >= -1);
    usleep(2000);
    assert_true(clock_mono_ns() - mono >= 2000000);
}

static void poll_timeouts(void **state)
{
    (void)state;
    int64_t now = clock_mono_ns();
    assert_int_equal(clock_poll_ms(0), -1);            /* no deadline */
    assert_int_equal(clock_poll_ms(now), 0);           /* passed */
    assert_int_equal(clock_poll_ms(1), 0);
    int left = clock_poll_ms(now + 5000 * INT64_C(1000000));
    assert_true(left > 4000 && left <= 5000);
    left = clock_poll_ms(clock_mono_ns() + 900000); /* never 0 before it: that would spin */
    assert_true(left == 1 || left == 0);
    assert_int_equal(clock_poll_ms(INT64_MAX), INT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(poll_timeouts),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
