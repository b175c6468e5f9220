/* Any bytes as a -k or -m expression: one clear message or an answer. The first byte chooses. */
#include "generator/collect/select.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void run(struct str text, bool is_mark)
{
    static const struct str names[] = {{"test_a", 6}, {"dir/x.py", 8}, {"", 0}};
    struct value_keyword keyword = {{"n", 1}, {.kind = VALUE_INT, .i = 3}};
    struct value_keyword unknown = {{"n", 1}, {.kind = VALUE_UNKNOWN}};
    struct value marks[] = {
        {.kind = VALUE_MARK, .text = {"a", 1}, .called = true, .keywords = &keyword, .n_keywords = 1},
        {.kind = VALUE_MARK, .text = {"b", 1}, .called = true, .keywords = &unknown, .n_keywords = 1}};
    struct select_item item = {names, 3, marks, 2};
    struct err err = {0};
    struct select *s = select_new(text, is_mark, &err);
    if (!s != !!err.msg[0])
        abort();
    int m = s ? select_match(s, &item) : 0;
    if (m < -1 || m > 1 || (m == -1 && !is_mark))
        abort();
    select_free(s);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size)
        run((struct str){(const char *)data + 1, size - 1}, data[0] & 1);
    return 0;
}
