/* Sources as Python's tokenizer reads them; each case was asked of CPython's compile(). */
#include "generator/source/decode.h"
#include "tests/unit/unit.h"

static void is(struct str source, struct str expected)
{
    struct buf b = {0};
    const char *error = NULL;
    uint32_t line = 0;
    buf_str(&b, source);
    if (!decode_source(&b, &error, &line))
        fail_msg("%.*s: line %u: %s", (int)source.n, source.p, line, error);
    assert_int_equal(b.n, expected.n);
    assert_memory_equal(b.p ? b.p : "", expected.p, expected.n);
    if (b.p)
        assert_int_equal(b.p[b.n], '\0');
    buf_release(&b);
}

static void is_refused(struct str source, const char *why, uint32_t expected_line)
{
    struct buf b = {0};
    const char *error = NULL;
    uint32_t line = 0;
    buf_str(&b, source);
    if (decode_source(&b, &error, &line))
        fail_msg("%.*s: taken", (int)source.n, source.p);
    assert_non_null(strstr(error, why));
    assert_int_equal(line, expected_line);
    buf_release(&b);
}

static void plain_text_stays(void **state)
{
    (void)state;
    is(STR(""), STR(""));
    is(STR("x = 1\n"), STR("x = 1\n"));
    is(STR("x = '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'"), STR("x = '\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'"));
    is(STR("\f\t\v\x01"), STR("\f\t\v\x01"));
}

static void a_bom_goes(void **state)
{
    (void)state;
    is(STR("\xef\xbb\xbf" "x = 1\n"), STR("x = 1\n"));
    is(STR("\xef\xbb\xbf"), STR(""));
    is(STR("\xef\xbb\xbf# coding: utf-8\n"), STR("# coding: utf-8\n"));
    is_refused(STR("\xef\xbb"), "UTF-8", 1);
}

static void line_ends_are_joined(void **state)
{
    (void)state;
    is(STR("a\r\nb\rc\n\r\n\r\rd\r"), STR("a\nb\nc\n\n\n\nd\n"));
    is(STR("\r"), STR("\n"));
    is(STR("\r\n"), STR("\n"));
    is(STR("x = '''a\r\nb'''"), STR("x = '''a\nb'''"));
}

static void cookies_are_followed(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "# coding: latin-1\n",        "# -*- coding: iso-8859-1 -*-\n", "#coding=latin_1\n",
        "#!/usr/bin/python\n# vim: set fileencoding=ISO-8859-1 :\n",    "\n# coding: latin1\n",
        "  \t# coding:iso8859-1\n",   "# encoding: L1\n",              "# coding: iso_8859_1\r\n",
        "# a\r\n# coding: latin-1\r\n", "# coding: Latin-1\n",
    };
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct buf in = {0}, out = {0};
        buf_printf(&in, "%sx = '\xe9'\n", heads[i]);
        for (const char *p = heads[i]; *p; p++)
            if (*p != '\r')
                buf_char(&out, *p);
        buf_z(&out, "x = '\xc3\xa9'\n");
        is(buf_view(&in), buf_view(&out));
        buf_release(&in);
        buf_release(&out);
    }
    is(STR("# coding: latin2\nx = '\xb1'\n"), STR("# coding: latin2\nx = '\xc4\x85'\n"));
    is(STR("#coding:iso8859_15\nx='\xa4'"), STR("#coding:iso8859_15\nx='\xe2\x82\xac'"));
    is(STR("#coding:latin9\nx='\xa4'"), STR("#coding:latin9\nx='\xe2\x82\xac'"));
    is(STR("#coding:windows-1252\nx='\xe9'"), STR("#coding:windows-1252\nx='\xc3\xa9'"));
    is(STR("#coding:mac-roman\nx='\xe9'"), STR("#coding:mac-roman\nx='\xc3\x88'"));
    is(STR("#coding:cp437\nx='\x82'"), STR("#coding:cp437\nx='\xc3\xa9'"));
    is(STR("#coding:us-ascii\nx=1"), STR("#coding:us-ascii\nx=1"));
    is(STR("#coding:shift_jis\nx=1"), STR("#coding:shift_jis\nx=1"));
    is(STR("\f# coding: latin-1\nx='\xe9'\n"), STR("\f# coding: latin-1\nx='\xc3\xa9'\n"));
    is(STR("# codingcoding: latin-1\nx='\xe9'"), STR("# codingcoding: latin-1\nx='\xc3\xa9'"));
    is(STR("#coding:latin-1-unix\nx='\xe9'"), STR("#coding:latin-1-unix\nx='\xc3\xa9'"));
    is(STR("# coding: cp1252\nx = '\x80'\n"), STR("# coding: cp1252\nx = '\xe2\x82\xac'\n"));
    is(STR("# coding: koi8-r\nx = '\xc1'\n"), STR("# coding: koi8-r\nx = '\xd0\xb0'\n"));
    is(STR("# coding: utf8\nx = '\xc3\xa9'\n"), STR("# coding: utf8\nx = '\xc3\xa9'\n"));
    is(STR("# coding: UTF-8-sig\nx = 1\n"), STR("# coding: UTF-8-sig\nx = 1\n"));
    is(STR("# coding: ascii\nx = 1\n"), STR("# coding: ascii\nx = 1\n"));
}

static void what_is_no_cookie_is_none(void **state)
{
    (void)state;
    is_refused(STR("\n\n# coding: latin-1\nx = '\xe9'\n"), "UTF-8", 4); /* the third line */
    is_refused(STR("x = 1\n# coding: latin-1\ny = '\xe9'\n"), "UTF-8", 3); /* after code */
    is(STR("# encoding of the file: none\nx = 1\n"), STR("# encoding of the file: none\nx = 1\n"));
    is(STR("x = 'coding: foo'\n"), STR("x = 'coding: foo'\n"));
}

static void what_python_refuses(void **state)
{
    (void)state;
    is_refused(STR("x = 1\ny = '\0'\n"), "null bytes", 2);
    is_refused(STR("\0"), "null bytes", 1);
    is_refused(STR("# coding: nonsense\nx = 1\n"), "unknown encoding", 1);
    is_refused(STR("a\nb\nx = '\xe9'\n"), "UTF-8", 3);
    is_refused(STR("# coding: ascii\nx = '\xc3\xa9'\n"), "ASCII", 2);
    is_refused(STR("\xef\xbb\xbf# coding: latin-1\nx = 1\n"), "BOM", 1);
}

static void bad_utf8_is_found_anywhere(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x28\xa1",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xfe", "\xff",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int before = 0; before < 20; before++)
            for (int after = 0; after < 20; after += 19) {
                struct buf b = {0};
                for (int k = 0; k < before; k++)
                    buf_char(&b, 'x');
                buf_z(&b, bad[i]);
                for (int k = 0; k < after; k++)
                    buf_char(&b, 'y');
                is_refused(buf_view(&b), "UTF-8", 1);
                buf_release(&b);
            }
    static const char *const good[] = {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                                       "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        is(str_z(good[i]), str_z(good[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),       cmocka_unit_test(a_bom_goes),
        cmocka_unit_test(line_ends_are_joined),   cmocka_unit_test(cookies_are_followed),
        cmocka_unit_test(what_is_no_cookie_is_none), cmocka_unit_test(what_python_refuses),
        cmocka_unit_test(bad_utf8_is_found_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
