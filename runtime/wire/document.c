#include "runtime/wire/document.h"

#include "runtime/wire/json.h"

#include <stdlib.h>
#include <string.h>

struct str document_member(struct str text, const char *name)
{
    struct json j = json_of(text);
    struct buf key = {0};
    struct str found = {0};
    bool ok = json_enter(&j, '{');
    while (ok && !found.p && json_key(&j, &key)) {
        json_peek(&j);
        const char *from = j.p;
        ok = json_skip(&j);
        if (ok && str_eq(buf_view(&key), str_z(name)))
            found = (struct str){from, (size_t)(j.p - from)};
    }
    buf_release(&key);
    return found;
}

bool document_item_id(struct str module, uint32_t item, struct buf *out)
{
    struct json j = json_of(document_member(module, "items"));
    json_enter(&j, '[');
    for (uint32_t i = 0; json_item(&j); i++) {
        json_peek(&j);
        const char *from = j.p;
        if (!json_skip(&j))
            return false;
        if (i == item) {
            struct json id = json_of(document_member((struct str){from, (size_t)(j.p - from)}, "id"));
            return json_peek(&id) == '"' && json_string(&id, out);
        }
    }
    return false;
}

/* Within a string of the document a quote has a backslash before it, so that "d": is a member's name. */
double document_seconds(struct str text)
{
    static const struct str name = {"\"d\":", 4};
    double sum = 0;
    for (const char *p = text.p, *end = text.p + text.n; text.n && (p = memmem(p, (size_t)(end - p), name.p, name.n));) {
        char number[24];
        size_t n = 0;
        for (p += name.n; p < end && *p == ' ';)
            p++;
        while (p + n < end && n < sizeof number - 1 && strchr("0123456789.eE+-", p[n]))
            n++;
        memcpy(number, p, n);
        number[n] = '\0';
        double value = strtod(number, NULL);
        sum += value > 0 && value < 1e6 ? value : 0;
    }
    return sum;
}
