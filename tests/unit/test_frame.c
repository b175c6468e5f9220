/* Frames, and the JSON of the wire: every byte flipped and cut, nothing may crash or be misread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/base/arena.h"
#include "runtime/wire/conn.h"
#include "runtime/wire/json.h"
#include "runtime/wire/msg.h"
#include "runtime/wire/sock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void feed(struct frame_in *in, struct str bytes)
{
    buf_add(&in->buf, bytes.p, bytes.n);
}

static void test_round_trip(void **state)
{
    struct buf out = {0};
    struct frame_in in = {0};
    struct frame f;
    (void)state;
    frame_add(&out, WIRE_RUN, 7, STR("payload"));
    frame_add(&out, WIRE_END, 0xfffffffe, STR(""));
    for (size_t i = 0; i < out.n; i++) { /* byte by byte */
        if (i < WIRE_HEADER_BYTES + 7)
            assert_int_equal(frame_next(&in, &f), FRAME_NONE);
        feed(&in, (struct str){out.p + i, 1});
        if (i == WIRE_HEADER_BYTES + 6) {
            assert_int_equal(frame_next(&in, &f), FRAME_GOT);
            assert_int_equal(f.type, WIRE_RUN);
            assert_int_equal(f.tag, 7);
            assert_true(str_eq(f.payload, STR("payload")));
        }
    }
    assert_int_equal(frame_next(&in, &f), FRAME_GOT);
    assert_int_equal(f.type, WIRE_END);
    assert_int_equal(f.payload.n, 0);
    assert_int_equal(frame_next(&in, &f), FRAME_NONE);
    frame_in_release(&in);
    buf_release(&out);
}

static void test_limits(void **state)
{
    static const unsigned char long_one[12] = {0xff, 0xff, 0xff, 0x7f, 1};
    static const unsigned char bad_type[12] = {0, 0, 0, 0, 1, 0, 1};
    struct frame_in in = {0}, bad = {0}, hello = {.max_payload = WIRE_MAX_HELLO};
    struct buf out = {0};
    struct frame f;
    (void)state;
    feed(&in, (struct str){(const char *)long_one, sizeof long_one});
    assert_int_equal(frame_next(&in, &f), FRAME_BAD);
    feed(&bad, (struct str){(const char *)bad_type, sizeof bad_type});
    assert_int_equal(frame_next(&bad, &f), FRAME_BAD);
    char *big = xmalloc(WIRE_MAX_HELLO + 1);
    memset(big, 'x', WIRE_MAX_HELLO + 1);
    frame_add(&out, WIRE_HELLO, 1, (struct str){big, WIRE_MAX_HELLO + 1});
    feed(&hello, buf_view(&out));
    assert_int_equal(frame_next(&hello, &f), FRAME_BAD);
    free(big);
    buf_release(&out);
    frame_in_release(&in);
    frame_in_release(&bad);
    frame_in_release(&hello);
}

static void test_flips(void **state)
{
    struct buf out = {0};
    (void)state;
    frame_add(&out, WIRE_RESULT, 3, STR("abc"));
    for (size_t i = 0; i < out.n * 8; i++) {
        struct frame_in in = {0};
        struct frame f;
        out.p[i / 8] ^= (char)(1 << (i % 8));
        feed(&in, buf_view(&out));
        while (frame_next(&in, &f) == FRAME_GOT)
            assert_true(f.payload.n <= out.n);
        out.p[i / 8] ^= (char)(1 << (i % 8));
        frame_in_release(&in);
    }
    buf_release(&out);
}

/* A peer that does not read must not block or grow without limit. */
static void test_slow_reader(void **state)
{
    int fds[2];
    struct conn c;
    struct err err = {0};
    char *chunk = xmalloc(64 * 1024 * 1024);
    (void)state;
    memset(chunk, 0, 64 * 1024 * 1024);
    assert_true(sock_pair(fds, &err));
    conn_init(&c, fds[0]);
    for (int i = 0; i < 16 && !c.broken; i++) {
        conn_send(&c, WIRE_RESULT, 0, (struct str){chunk, 64 * 1024 * 1024});
        conn_flush(&c);
    }
    assert_true(c.broken);
    assert_false(conn_wants_write(&c));
    conn_close(&c);
    conn_close(&c);
    close(fds[1]);
    free(chunk);
}

static void test_conn(void **state)
{
    int fds[2];
    struct conn a, b;
    struct frame f;
    struct err err = {0};
    (void)state;
    assert_true(sock_pair(fds, &err));
    conn_init(&a, fds[0]);
    conn_init(&b, fds[1]);
    assert_false(conn_read(&b));
    assert_false(b.eof);
    conn_send(&a, WIRE_NEED, 5, STR("x"));
    conn_flush(&a);
    assert_true(conn_read(&b));
    assert_int_equal(frame_next(&b.in, &f), FRAME_GOT);
    assert_int_equal(f.tag, 5);
    conn_close(&a);
    assert_false(conn_read(&b));
    assert_true(b.eof);
    conn_close(&b);
}

static void check_string(const char *json, const char *bytes, size_t n)
{
    struct json j = json_of(str_z(json));
    struct buf out = {0};
    assert_true(json_string(&j, &out));
    assert_true(json_done(&j));
    assert_int_equal(out.n, n);
    assert_memory_equal(out.p, bytes, n);
    buf_release(&out);
}

static void test_json_strings(void **state)
{
    (void)state;
    check_string("\"a\\n\\u00e9\\\\\\\"\\/\"", "a\n\xc3\xa9\\\"/", 7);
    check_string("\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80", 4);
    check_string("\"\\udcff\\udc80x\"", "\xff\x80x", 3);
    static const char *const bad[] = {"\"", "\"\\", "\"\\u12", "\"\\x\"", "\"a\nb\"", "a", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct json j = json_of(str_z(bad[i]));
        struct buf out = {0};
        assert_false(json_string(&j, &out));
        assert_true(j.bad);
        buf_release(&out);
    }
}

static void test_json_quote(void **state)
{
    static const char bytes[] = "a\"\\\n\x01\xff\xc3\xa9\xc3(\xed\xa0\x80\xf0\x9f\x98\x80\x7f";
    struct str s = {bytes, sizeof bytes - 1};
    struct buf quoted = {0}, back = {0};
    (void)state;
    json_quote(&quoted, s);
    struct json j = json_of(buf_view(&quoted));
    assert_true(json_string(&j, &back));
    assert_true(json_done(&j));
    assert_true(str_eq(buf_view(&back), s));
    buf_release(&quoted);
    buf_release(&back);
}

/* Walks any document; returns the number of members and elements seen at the top. */
static int walk(struct str text)
{
    struct json j = json_of(text);
    struct buf key = {0};
    int n = 0;
    if (json_enter(&j, '{'))
        while (json_key(&j, &key) && json_skip(&j))
            n++;
    buf_release(&key);
    return j.bad || !json_done(&j) ? -1 : n;
}

static void test_json_documents(void **state)
{
    static const char doc[] = "{\"a\": [1, -2.5e3, {\"b\": \"]}\\\"\"}], \"c\": null, \"d\": {}}";
    char copy[sizeof doc];
    (void)state;
    assert_int_equal(walk(STR("{}")), 0);
    assert_int_equal(walk((struct str){doc, sizeof doc - 1}), 3);
    assert_int_equal(walk(STR("{\"a\": [1}")), -1);
    assert_int_equal(walk(STR("{\"a\" 1}")), -1);
    assert_int_equal(walk(STR("{\"a\": 1,}")), -1);
    assert_int_equal(walk(STR("{\"a\": 1} x")), -1);
    for (size_t i = 0; i < sizeof doc - 1; i++) { /* every cut fails */
        char *cut = xmalloc(i + 1);
        memcpy(cut, doc, i);
        assert_int_equal(walk((struct str){cut, i}), -1);
        free(cut);
    }
    for (size_t i = 0; i < (sizeof doc - 1) * 8; i++) { /* every flip ends */
        memcpy(copy, doc, sizeof doc);
        copy[i / 8] ^= (char)(1 << (i % 8));
        walk((struct str){copy, sizeof doc - 1});
    }
}

static void test_json_depth(void **state)
{
    struct buf b = {0};
    (void)state;
    buf_z(&b, "{\"a\": ");
    for (int i = 0; i < 100000; i++)
        buf_char(&b, '[');
    assert_int_equal(walk(buf_view(&b)), -1);
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_flips),          cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_conn),           cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_json_quote),     cmocka_unit_test(test_json_documents),
        cmocka_unit_test(test_json_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
