/* JUnit: names, escaping, shortened messages, the testcases of each outcome. */
#include "runtime/report/junit.h"
#include "runtime/report/junit_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect_names(const char *id, const char *classname, const char *name)
{
    struct buf c = {0}, n = {0};
    junit_names(str_z(id), (struct str){0}, &c, &n);
    assert_string_equal(c.n ? c.p : "", classname);
    assert_string_equal(n.n ? n.p : "", name);
    buf_release(&c);
    buf_release(&n);
}

static void names_are_those_of_pytest(void **state)
{
    (void)state;
    expect_names("tests/test_a.py::test_x", "tests.test_a", "test_x");
    expect_names("test_a.py::TestX::TestY::test", "test_a.TestX.TestY", "test");
    expect_names("a/test_a.py::test[p::q/r.py]", "a.test_a", "test[p::q/r.py]");
    expect_names("a/test_a.py::test[[x]]", "a.test_a", "test[[x]]");
    expect_names("tests/test_a.py", "", "tests.test_a");
    expect_names("docs/a.txt::a.txt", "docs.a.txt", "a.txt");
    expect_names("", "", "");
}

static void a_prefix_comes_before_the_path(void **state)
{
    (void)state;
    struct buf c = {0}, n = {0};
    junit_names(STR("t/test_a.py::test"), STR("ci"), &c, &n);
    assert_string_equal(c.p, "ci.t.test_a");
    buf_release(&c);
    buf_release(&n);
}

static void expect_escaped(struct str in, const char *want)
{
    struct buf out = {0};
    junit_escape(&out, in);
    assert_string_equal(out.n ? out.p : "", want);
    buf_release(&out);
}

static void what_xml_cannot_hold_becomes_visible(void **state)
{
    (void)state;
    expect_escaped(STR("plain\n\ttext"), "plain\n\ttext");
    expect_escaped(STR("bell\a esc\x1b del\x7f"), "bell#x07 esc#x1B del#x7F");
    expect_escaped(STR("nul\0raw"), "nul#x00raw");
    expect_escaped(STR("coded nul \xC0\x80."), "coded nul #x00.");
    expect_escaped(STR("\xEF\xBF\xBE \xEF\xBF\xBF"), "#xFFFE #xFFFF");
    expect_escaped(STR("byte \xFF, cut \xE2\x82"), "byte #xDCFF, cut #xDCE2#xDC82");
    expect_escaped(STR("surrogate \xED\xA0\x80"), "surrogate #xD800");
    expect_escaped(STR("caf\xC3\xA9 \xF0\x9F\x98\x80 \xC2\x80"),
                   "caf\xC3\xA9 \xF0\x9F\x98\x80 \xC2\x80");
}

static void expect_shortened(struct str in, const char *want_end)
{
    struct buf out = {0};
    junit_shorten(&out, in);
    size_t n = strlen(want_end);
    assert_true(out.n >= n);
    assert_string_equal(out.p + out.n - n, want_end);
    buf_release(&out);
}

static void long_messages_are_shortened_as_pytest_does(void **state)
{
    (void)state;
    char text[1200];
    memset(text, 'x', sizeof text);
    expect_shortened(STR("one\ntwo\n"), "one\ntwo\n");
    text[500] = '\0';
    expect_shortened(str_z(text), "xx");
    text[500] = 'x';
    text[501] = '\0';
    expect_shortened(str_z(text), "x...\n[truncated; full report in element text]");
    text[3] = '\n';
    text[501] = 'x';
    text[600] = '\0';
    expect_shortened(str_z(text), "xxx\n[+1 more line; full report in element text]");
    text[400] = '\n';
    text[500] = '\n';
    expect_shortened(str_z(text), "xx\n[+2 more lines; full report in element text]");
}

/* ---- whole testcases ---- */

static struct report_phase phase(enum report_when when, enum report_verdict verdict)
{
    return (struct report_phase){.when = when, .verdict = verdict, .duration_s = 0.25};
}

static char *document(const struct junit_options *o, struct report_phase *phases, uint32_t n,
                      struct totals *totals)
{
    struct report_item item = {
        .id = STR("t/test_a.py::test"), .file = STR("t/test_a.py"), .name = STR("test"), .line = 4};
    struct report_prop prop = {STR("key"), STR("<\a>"), STR("1")};
    struct report_test t = {.item = &item, .batch = STR("b")};
    struct junit_texts texts = {0};
    struct buf out = {0};
    t.result =
        (struct report_result){.phases = phases, .n_phases = n, .props = &prop, .n_props = 1};
    struct junit *j = junit_new(o);
    junit_test(j, &t);
    junit_take(j, &texts, totals);
    struct junit_head head = {1000000000, 1500000000, totals};
    junit_head(j, &out, &head);
    junit_between(j, &out);
    buf_str(&out, buf_view(&texts.tests));
    assert_true(junit_end(j, &out));
    assert_int_equal(texts.collections.n, 0);
    junit_free(j);
    char *copy = strdup(out.p);
    buf_release(&texts.collections);
    buf_release(&texts.tests);
    buf_release(&texts.properties);
    buf_release(&out);
    return copy;
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

static void a_passed_test_has_properties_and_time(void **state)
{
    (void)state;
    struct junit_options o = junit_options_from(&(struct plan){0});
    struct totals totals = {0};
    struct report_phase p[] = {phase(WHEN_SETUP, PHASE_PASSED), phase(WHEN_CALL, PHASE_PASSED),
                               phase(WHEN_TEARDOWN, PHASE_PASSED)};
    char *xml = document(&o, p, 3, &totals);
    assert_contains(xml, "<testcase classname=\"t.test_a\" name=\"test\" time=\"0.750\">"
                         "<properties><property name=\"key\" value=\"&lt;#x07&gt;\"/></properties>"
                         "</testcase>");
    assert_contains(xml, "errors=\"0\" failures=\"0\" skipped=\"0\" tests=\"1\" time=\"1.500\"");
    free(xml);
}

static void a_failure_and_a_teardown_error_are_two_testcases(void **state)
{
    (void)state;
    struct junit_options o = junit_options_from(&(struct plan){0});
    struct totals totals = {0};
    struct report_phase p[] = {phase(WHEN_SETUP, PHASE_PASSED), phase(WHEN_CALL, PHASE_FAILED),
                               phase(WHEN_TEARDOWN, PHASE_FAILED)};
    p[1].repr = STR("\nE  broke ]]>\n");
    p[1].crash = (struct report_loc){STR("/t/test_a.py"), STR("broke"), 3};
    p[2].repr = STR("text only");
    char *xml = document(&o, p, 3, &totals);
    assert_contains(xml, "<failure message=\"broke\">E  broke ]]&gt;</failure></testcase>");
    assert_contains(xml, "<error message=\"failed on teardown with &quot;text only&quot;\">");
    assert_contains(xml, "errors=\"1\" failures=\"1\" skipped=\"0\" tests=\"2\"");
    free(xml);
}

static void a_passed_call_with_a_teardown_error_is_one_testcase(void **state)
{
    (void)state;
    struct junit_options o = junit_options_from(&(struct plan){0});
    struct totals totals = {0};
    struct report_phase p[] = {phase(WHEN_SETUP, PHASE_PASSED), phase(WHEN_CALL, PHASE_PASSED),
                               phase(WHEN_TEARDOWN, PHASE_FAILED)};
    p[2].repr = STR("x");
    char *xml = document(&o, p, 3, &totals);
    assert_contains(xml, "errors=\"1\" failures=\"0\" skipped=\"0\" tests=\"1\"");
    assert_null(strstr(strstr(xml, "<testcase") + 1, "<testcase"));
    free(xml);
}

static void skips_and_xfails_have_their_types(void **state)
{
    (void)state;
    struct junit_options o = junit_options_from(&(struct plan){0});
    struct totals totals = {0};
    struct report_phase p[] = {phase(WHEN_SETUP, PHASE_SKIPPED)};
    p[0].skip = (struct report_loc){STR("/t/a.py"), STR("Skipped: why"), 7};
    char *xml = document(&o, p, 1, &totals);
    assert_contains(xml, "<skipped type=\"pytest.skip\" message=\"why\">/t/a.py:7: why</skipped>");
    free(xml);
    p[0].xfail = STR("reason: known");
    xml = document(&o, p, 1, &totals);
    assert_contains(xml, "<skipped type=\"pytest.xfail\" message=\"known\"/>");
    free(xml);
}

static void options_are_pytests_settings(void **state)
{
    (void)state;
    struct str settings[] = {STR("junit_logging=all"), STR("junitprefix=ci"), STR("junit_suite_name=mine"),
                             STR("junit_family=xunit1")};
    struct junit_options o = junit_options_from(&(struct plan){.report = settings, .n_report = 4});
    struct totals totals = {0};
    struct report_section section = {STR("Captured stdout call"), STR("hello\n")};
    struct report_phase p[] = {phase(WHEN_CALL, PHASE_PASSED), phase(WHEN_TEARDOWN, PHASE_PASSED)};
    p[1].sections = &section;
    p[1].n_sections = 1;
    char *xml = document(&o, p, 2, &totals);
    assert_contains(xml, "<testsuite name=\"mine\"");
    assert_contains(xml, "classname=\"ci.t.test_a\" name=\"test\" file=\"t/test_a.py\" line=\"4\"");
    assert_contains(xml, "--------------------------------- Captured Out "
                         "---------------------------------\nhello\n\n</system-out>");
    free(xml);
}

static char *testcase(const struct junit_options *o, const char *id, const char *name, int64_t line, bool short_way)
{
    struct report_phase p[] = {phase(WHEN_SETUP, PHASE_PASSED), phase(WHEN_CALL, PHASE_PASSED), phase(WHEN_TEARDOWN, PHASE_PASSED)};
    struct report_item item = {.id = str_z(id), .file = STR("t/test_a.py"), .name = STR("test"), .line = line};
    struct report_pair same = {STR("name"), str_z(name)};
    struct report_test t = {.item = &item, .batch = STR("b"), .result = {.phases = p, .n_phases = 3}};
    struct junit_texts texts = {0};
    struct totals totals = {0};
    if (!short_way)
        t.result.attrs = &same;
    t.result.n_attrs = !short_way;
    struct junit *j = junit_new(o);
    junit_test(j, &t);
    junit_take(j, &texts, &totals);
    junit_free(j);
    char *copy = strdup(texts.tests.p);
    buf_release(&texts.collections);
    buf_release(&texts.tests);
    buf_release(&texts.properties);
    return copy;
}

/* An attribute of the test's own, with the value that it has anyway, asks for libxml2's way. */
static void a_bare_testcase_is_what_libxml2_writes(void **state)
{
    (void)state;
    static const char *const names[] = {"test", "test[a-b]", "test[~ '!]", "test[&]", "test[<1>]", "test[\"]", "test[\xC3\xA9]",
                                        "test[\t]", "test[\x7F]", ""};
    struct str xunit1 = STR("junit_family=xunit1");
    struct junit_options o[] = {junit_options_from(&(struct plan){0}), junit_options_from(&(struct plan){.report = &xunit1, .n_report = 1})};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int k = 0; k < 4; k++) {
            char id[64];
            snprintf(id, sizeof id, "t/test_a.py::%s", names[i]);
            char *ours = testcase(&o[k / 2], id, names[i], k % 2 ? 7 : -1, true);
            char *theirs = testcase(&o[k / 2], id, names[i], k % 2 ? 7 : -1, false);
            assert_string_equal(ours, theirs);
            free(ours);
            free(theirs);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_those_of_pytest),
        cmocka_unit_test(a_prefix_comes_before_the_path),
        cmocka_unit_test(what_xml_cannot_hold_becomes_visible),
        cmocka_unit_test(long_messages_are_shortened_as_pytest_does),
        cmocka_unit_test(a_passed_test_has_properties_and_time),
        cmocka_unit_test(a_failure_and_a_teardown_error_are_two_testcases),
        cmocka_unit_test(a_passed_call_with_a_teardown_error_is_one_testcase),
        cmocka_unit_test(skips_and_xfails_have_their_types),
        cmocka_unit_test(options_are_pytests_settings),
        cmocka_unit_test(a_bare_testcase_is_what_libxml2_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
