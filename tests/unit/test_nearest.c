#include "tests/unit/unit.h"

#include "runtime/base/nearest.h"

static unsigned distance(const char *a, const char *b)
{
    return nearest_distance(str_z(a), str_z(b), 3);
}

static void edits_are_counted(void **state)
{
    (void)state;
    assert_int_equal(distance("watch", "watch"), 0);
    assert_int_equal(distance("wathc", "watch"), 1); /* neighbours swapped */
    assert_int_equal(distance("wtch", "watch"), 1);
    assert_int_equal(distance("watchh", "watch"), 1);
    assert_int_equal(distance("wotch", "watch"), 1);
    assert_int_equal(distance("", "abc"), 3);
    assert_int_equal(distance("kitten", "sitting"), 3);
    assert_int_equal(distance("abcdefgh", "stuvwxyz"), 4); /* more than the limit */
}

static const char *among(const char *word, const char *const *known)
{
    static char text[80];
    struct nearest n = {.word = str_z(word)};
    for (; *known; known++)
        nearest_try(&n, str_z(*known));
    if (!n.best.p)
        return NULL;
    snprintf(text, sizeof text, "%.*s", (int)n.best.n, n.best.p);
    return text;
}

static void the_nearest_is_found_or_none(void **state)
{
    (void)state;
    static const char *const names[] = {"--workers", "--worker-memory", "--watch", "why", NULL};
    assert_string_equal(among("--worker", names), "--workers");
    assert_string_equal(among("--wokers", names), "--workers");
    assert_string_equal(among("wyh", names), "why");
    assert_null(among("--benchmark", names));
    assert_null(among("tests", names));
    assert_null(among("w", names));
}

static void long_words_are_far_from_all(void **state)
{
    (void)state;
    char a[200], b[200];
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    assert_int_equal(nearest_distance((struct str){a, 200}, (struct str){b, 200}, 3), 4);
    assert_int_equal(nearest_distance((struct str){a, 63}, (struct str){b, 63}, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(the_nearest_is_found_or_none),
        cmocka_unit_test(long_words_are_far_from_all),
    };
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
