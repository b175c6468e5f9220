#include "generator/emit/emit_text.h"

#include "generator/files/pyname.h"
#include "runtime/base/io.h"

#include <string.h>

bool emit_can_list(struct str path)
{
    for (size_t i = 0; i < path.n; i++)
        if (strchr("\n\r|", path.p[i])) /* finds NUL too */
            return false;
    return path.n > 0;
}

void emit_path(struct buf *out, struct str path, struct str root)
{
    struct str s = pyname_below(path, root);
    for (size_t i = 0; i < s.n; i++) {
        if (strchr("$ :", s.p[i]))
            buf_char(out, '$');
        buf_char(out, s.p[i]);
    }
}

void emit_value(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] == '$' || (i == 0 && value.p[i] == ' '))
            buf_char(out, '$');
        buf_char(out, value.p[i]);
    }
}

static bool is_plain(struct str word)
{
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr("_-./=,:@%+", c));
        if (!plain)
            return false;
    }
    return word.n > 0;
}

void emit_word(struct buf *out, struct str word)
{
    if (is_plain(word)) {
        buf_str(out, word);
        return;
    }
    buf_char(out, '\'');
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '\'')
            buf_z(out, "'\\''");
        else
            buf_char(out, word.p[i]);
    }
    buf_char(out, '\'');
}

bool emit_file(struct str dir, const char *name, const struct buf *text, struct err *err)
{
    struct buf path = {0};
    path_join(&path, dir, str_z(name));
    bool ok = io_replace_if_changed(path.p, buf_view(text), NULL, err);
    buf_release(&path);
    return ok;
}
