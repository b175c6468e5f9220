/* An earlier result beside a later one. */
#include "runtime/batch/attempts.h"
#include "runtime/wire/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static const char failed[] = "{\"phases\": [{\"when\": \"call\", \"o\": \"failed\", \"d\": 0.25, \"crash\": {\"path\": \"a.py\", "
                             "\"line\": 3, \"message\": \"KeyError: 1\"}}], \"counts\": {\"failed\": 1}}";
static const char passed[] = "{\"phases\":[{\"when\":\"setup\",\"d\":1},{\"when\":\"call\",\"o\":\"passed\",\"d\":0.5}],\"deps\":{\"open\":[\"/x\"]}}";

static void flaky(void **state)
{
    struct arena a = {0};
    (void)state;
    struct str all = attempts_add(str_z(failed), str_z(passed), OUT_PASSED, STR(""), &a);
    assert_true(str_starts(all, STR("{\"phases\": [{\"when\":\"setup\"")));
    assert_true(str_contains(all, STR("\"deps\": {\"open\":[\"/x\"]}")));
    assert_true(str_ends(all, STR("\"counts\": {\"passed\": 1, \"flaky\": 1}, \"attempts\": [[{\"when\": \"call\", \"o\": "
                                  "\"failed\", \"d\": 0.25, \"crash\": {\"path\": \"a.py\", \"line\": 3, \"message\": \"KeyError: "
                                  "1\"}}]], \"flaky\": true}")));
    arena_release(&a);
}

static void several(void **state)
{
    struct arena a = {0};
    (void)state;
    struct str two = attempts_add(str_z(failed), str_z(failed), OUT_FAILED, STR(""), &a);
    assert_false(str_contains(two, STR("flaky")));
    assert_true(str_contains(two, STR("\"counts\": {\"failed\": 1}")));
    struct str three = attempts_add(two, str_z(passed), OUT_PASSED, STR("needs \"x\""), &a);
    assert_true(str_contains(three, STR("1\"}}], [{\"when\": \"call\"")));
    assert_true(str_contains(three, STR("\"reason\": \"needs \\\"x\\\"\"")));
    assert_false(str_contains(three, STR("flaky")));
    arena_release(&a);
}

static void damage(void **state)
{
    struct arena a = {0};
    (void)state;
    assert_true(str_eq(attempts_add(STR("{"), str_z(passed), OUT_PASSED, STR(""), &a), str_z(passed)));
    assert_true(str_eq(attempts_add(str_z(failed), STR("nothing"), OUT_PASSED, STR(""), &a), STR("nothing")));
    arena_release(&a);
}

static void looks(void **state)
{
    (void)state;
    assert_true(document_seconds(str_z(passed)) == 1.5);
    assert_true(document_seconds(STR("{}")) == 0);
    struct str other = STR("{\"phases\": [{\"crash\": {\"path\": \"a.py\", \"line\": 3, \"message\": \"KeyError: 2\"}}]}");
    assert_true(attempts_kind(str_z(failed)) == attempts_kind(other));
    assert_true(attempts_kind(str_z(failed)) != attempts_kind(str_z(passed)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(flaky), cmocka_unit_test(several), cmocka_unit_test(damage),
                                       cmocka_unit_test(looks)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
