#include "runtime/wire/document.h"

#include "runtime/wire/json.h"

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
