/* JSON: the documents of PROTOCOL.md in, pytest-json-report's format out, always valid UTF-8. */
#include "runtime/report/json.h"
#include "runtime/report/json_report.h"
#include "runtime/report/log.h"
#include "runtime/report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s\nis not in\n%s", part, text);
}

static const char result_text[] =
    "{\"phases\":[{\"when\":\"setup\",\"o\":\"passed\",\"d\":0.5,\"t\":1},"
    "{\"when\":\"call\",\"o\":\"failed\",\"d\":0.25,\"t\":2,\"repr\":\"\\nE  no\\n\","
    "\"crash\":{\"path\":\"/t.py\",\"line\":3,\"message\":\"no\"},"
    "\"tb\":[{\"path\":\"t.py\",\"line\":3,\"message\":\"E\"}],"
    "\"sections\":[[\"Captured stdout setup\",\"early\"],[\"Captured stdout "
    "call\",\"late\\u0000\"],"
    "[\"Captured log call\",\"WARNING  root:t.py:3 careful\\nmore\"]]}],"
    "\"props\":[[\"k\",5],[\"f\",true],[\"n\",null],[\"s\",\"v\"]],"
    "\"counts\":{\"failed\":1,\"warnings\":2}}";

static void a_result_is_read(void **state)
{
    (void)state;
    struct arena a = {0};
    struct report_result r;
    assert_true(json_parse_result(str_z(result_text), &a, &r));
    assert_int_equal(r.n_phases, 2);
    assert_int_equal(r.phases[1].when, WHEN_CALL);
    assert_int_equal(r.phases[1].verdict, PHASE_FAILED);
    assert_string_equal(r.phases[1].repr.p, "\nE  no\n");
    assert_int_equal(r.phases[1].crash.line, 3);
    assert_int_equal(r.phases[1].n_sections, 3);
    assert_string_equal(r.phases[1].sections[1].text.p, "late\xC0\x80");
    assert_null(r.phases[1].xfail.p);
    assert_null(r.phases[1].skip.path.p);
    assert_string_equal(r.props[0].value.p, "5");
    assert_string_equal(r.props[1].value.p, "True");
    assert_string_equal(r.props[2].value.p, "None");
    assert_string_equal(r.props[3].json.p, "\"v\"");
    assert_int_equal(r.n_counts, 2);
    assert_int_equal(r.counts[1].n, 2);
    arena_release(&a);
}

/* The short way for a test that has passed in silence and the long one, which a space asks for, give the same. */
static void a_silent_pass_is_read_in_both_ways(void **state)
{
    (void)state;
    static const char *const numbers[][2] = {{"0.000001", "1795805700.123457"}, {"12.345678", "4102444799.999999"}, {"3", "0.1"},
                                             {"1e-06", "1795805700.0"}, {"0.30000000000000004", "17"}, {"90071992.547409", "1."}};
    struct arena a = {0};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buf text[2] = {{0}, {0}};
        struct report_result r[2];
        for (int k = 0; k < 2; k++) {
            const char *d = numbers[i][0], *t = numbers[i][1];
            buf_printf(&text[k], "{%s\"phases\":[{\"when\":\"setup\",\"o\":\"passed\",\"d\":0.000001,\"t\":%s},", k ? " " : "", t);
            buf_printf(&text[k], "{\"when\":\"call\",\"o\":\"passed\",\"d\":%s,\"t\":%s},", d, t);
            buf_printf(&text[k], "{\"when\":\"teardown\",\"o\":\"passed\",\"d\":0,\"t\":%s}],\"worker\":12}", t);
            assert_true(json_parse_result(buf_view(&text[k]), &a, &r[k]));
            assert_int_equal(r[k].n_phases, 3);
            assert_int_equal(r[k].worker, 12);
            buf_release(&text[k]);
        }
        for (int p = 0; p < 3; p++) {
            assert_int_equal(r[0].phases[p].when, r[1].phases[p].when);
            assert_int_equal(r[0].phases[p].verdict, PHASE_PASSED);
            assert_true(r[0].phases[p].duration_s == r[1].phases[p].duration_s); /* to the bit */
            assert_true(r[0].phases[p].start_s == r[1].phases[p].start_s);
        }
    }
    arena_release(&a);
}

static void assert_same(struct str a, struct str b)
{
    assert_true(str_eq(a, b) && !a.p == !b.p);
}

/* So is a module: what is not as a worker writes it is left to the long way, which the space at its beginning asks for. */
static void a_module_is_read_in_both_ways(void **state)
{
    (void)state;
    static const char item[] = "{\"id\":\"t.py::a[x y]\",\"line\":3,\"file\":\"t.py\",\"name\":\"a[x y]\",\"kw\":[\"a\",\"\"]}";
    static const char other[] = "{\"id\":\"t.py::b\\u00e9\",\"line\":null,\"file\":\"t.py\",\"name\":\"b\",\"kw\":[]}";
    static const char rest[] = "\"path\":\"/r/t.py\",\"rel\":\"t.py\",\"error\":null,\"skip\":null,\"deps\":{\"a\":[]},\"always\":false}";
    static const char failed[] = "\"rel\":\"t.py\",\"error\":{\"when\":\"collect\",\"o\":\"failed\",\"repr\":\"E\"},\"skip\":null}";
    char texts[6][1024];
    snprintf(texts[0], sizeof *texts, "\"items\":[],%s", rest);
    snprintf(texts[1], sizeof *texts, "\"items\":[%s],%s", item, rest);
    snprintf(texts[2], sizeof *texts, "\"items\":[%s,%s],%s", item, item, rest);
    snprintf(texts[3], sizeof *texts, "\"items\":[%s,%s],%s", item, other, rest);
    snprintf(texts[4], sizeof *texts, "\"items\":[],%s", failed);
    snprintf(texts[5], sizeof *texts, "\"items\":[%s],%s", item, failed);
    struct arena a = {0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct report_meta m[2];
        for (int k = 0; k < 2; k++) {
            struct buf whole = {0};
            buf_printf(&whole, "{%s%s", k ? " " : "", texts[i]);
            assert_true(json_parse_meta(buf_view(&whole), &a, &m[k]));
            memset(whole.p, 'x', whole.n); /* nothing of m is a view of it */
            buf_release(&whole);
        }
        assert_int_equal(m[0].n_items, m[1].n_items);
        assert_int_equal(!m[0].error, !m[1].error);
        assert_null(m[0].skip);
        for (uint32_t k = 0; k < m[0].n_items; k++) {
            const struct report_item *x = &m[0].items[k], *y = &m[1].items[k];
            assert_same(x->id, y->id);
            assert_same(x->file, y->file);
            assert_same(x->name, y->name);
            assert_true(x->line == y->line);
            assert_int_equal(x->n_keywords, y->n_keywords);
            for (uint32_t w = 0; w < x->n_keywords; w++)
                assert_same(x->keywords[w], y->keywords[w]);
        }
    }
    arena_release(&a);
}

static void lone_surrogates_are_read(void **state)
{
    (void)state;
    struct arena a = {0};
    struct report_meta m;
    assert_true(json_parse_meta(STR("{\"rel\":\"t.py\",\"items\":[{\"id\":\"a\\udcff\\\\udcfe"
                                    "\\ud800 \\ud83d\\ude00\",\"line\":null,\"kw\":[]}]}"),
                                &a, &m));
    assert_string_equal(m.items[0].id.p, "a\xFF\\udcfe\xED\xA0\x80 \xF0\x9F\x98\x80");
    assert_int_equal(m.items[0].line, -1);
    assert_null(m.error);
    arena_release(&a);
}

static void what_is_no_such_document_is_refused(void **state)
{
    (void)state;
    struct arena a = {0};
    struct report_meta m;
    struct report_result r;
    assert_false(json_parse_meta(STR(""), &a, &m));
    assert_false(json_parse_meta(STR("[]"), &a, &m));
    assert_false(json_parse_meta(STR("{\"items\":[{\"line\":1}]}"), &a, &m));
    assert_false(json_parse_result(STR("{\"phases\":"), &a, &r));
    assert_true(json_parse_result(STR("{\"phases\":[7,{\"when\":1,\"sections\":[3,[],[1]],"
                                      "\"tb\":{},\"skip\":[1]}],\"props\":[1,[2]],\"counts\":[]}"),
                                  &a, &r));
    assert_int_equal(r.n_phases, 2);
    for (size_t n = 0; n < sizeof result_text - 1; n++) /* every truncation: no crash */
        assert_false(json_parse_result((struct str){result_text, n}, &a, &r));
    arena_release(&a);
}

static void a_test_is_written(void **state)
{
    (void)state;
    struct arena a = {0};
    struct buf out = {0};
    struct str kw[] = {STR("test"), STR("t.py")};
    struct report_item item = {
        .id = STR("t.py::test[\xFF]"), .line = 2, .keywords = kw, .n_keywords = 2};
    struct report_test t = {
        .item = &item, .outcome = OUT_FAILED, .cached = true, .batch = STR("b1")};
    assert_true(json_parse_result(str_z(result_text), &a, &t.result));
    json_test(&out, &t);
    assert_contains(out.p, "{\"nodeid\":\"t.py::test[\\\\udcff]\",\"lineno\":2,"
                           "\"outcome\":\"failed\",\"keywords\":[\"test\",\"t.py\"],"
                           "\"cached\":true,\"batch\":\"b1\",\"setup\":{");
    assert_contains(out.p, "\"crash\":{\"path\":\"/t.py\",\"lineno\":3,\"message\":\"no\"}");
    assert_contains(out.p, "\"stdout\":\"late\\u0000\"");
    assert_contains(out.p, "\"log\":[{\"msg\":\"careful\\nmore\",\"levelname\":\"WARNING\"");
    assert_contains(out.p, "\"longrepr\":\"E  no\"");
    assert_contains(out.p,
                    "\"user_properties\":[{\"k\":5},{\"f\":true},{\"n\":null},{\"s\":\"v\"}]");
    json_test(&out, &t);
    assert_contains(out.p, "},{\"nodeid\"");
    buf_release(&out);
    arena_release(&a);
}

static void a_document_is_closed_around_its_parts(void **state)
{
    (void)state;
    struct totals totals = {.outcomes = {[OUT_PASSED] = 2}, .items = 3, .cached = 1};
    struct json_head head = {1.5, 0.25, 0, STR("/ro\"ot"), &totals};
    struct buf out = {0}, collector = {0};
    struct report_phase broken = {.verdict = PHASE_FAILED, .id = STR("t.py"), .repr = STR("\nE  no\n")};
    json_collector(&collector, &broken);
    json_report_head(&out, &head);
    buf_str(&out, buf_view(&collector));
    buf_z(&out, json_report_tests);
    assert_string_equal(out.p, "{\"created\":1.5,\"duration\":0.25,\"exitcode\":0,"
                               "\"root\":\"/ro\\\"ot\",\"environment\":{},"
                               "\"summary\":{\"passed\":2,\"total\":2,\"collected\":3,"
                               "\"cached\":1},\"collectors\":[\n{\"nodeid\":\"t.py\","
                               "\"outcome\":\"failed\",\"result\":[],"
                               "\"longrepr\":\"E  no\"}\n],\"tests\":[\n");
    buf_release(&collector);
    buf_release(&out);
}

static void log_sections_become_records(void **state)
{
    (void)state;
    struct arena a = {0};
    struct log_line l;
    struct str text = STR("INFO     a.b:f.py:12 one\n  two\nERROR    c:g.py:1 x\nodd\n");
    assert_true(log_next(&text, &a, &l));
    assert_string_equal(l.level.p, "INFO");
    assert_string_equal(l.logger.p, "a.b");
    assert_int_equal(l.line, 12);
    assert_string_equal(l.message.p, "one\n  two");
    assert_true(log_next(&text, &a, &l));
    assert_string_equal(l.message.p, "x\nodd");
    assert_false(log_next(&text, &a, &l));
    text = STR("no format here");
    assert_true(log_next(&text, &a, &l));
    assert_null(l.level.p);
    assert_string_equal(l.message.p, "no format here");
    arena_release(&a);
}

static void python_reprs(void **state)
{
    (void)state;
    struct buf out = {0};
    text_pyrepr(&out, STR("it's"));
    text_pyrepr(&out, STR("a\"'\n\\\x01"));
    assert_string_equal(out.p, "\"it's\"'a\"\\'\\n\\\\\\x01'");
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_is_read),
        cmocka_unit_test(a_silent_pass_is_read_in_both_ways),
        cmocka_unit_test(a_module_is_read_in_both_ways),
        cmocka_unit_test(lone_surrogates_are_read),
        cmocka_unit_test(what_is_no_such_document_is_refused),
        cmocka_unit_test(a_test_is_written),
        cmocka_unit_test(a_document_is_closed_around_its_parts),
        cmocka_unit_test(log_sections_become_records),
        cmocka_unit_test(python_reprs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
