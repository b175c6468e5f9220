/* Any bytes as a Python source: the lexer and the parser must end, and give what can be read. */
#include "generator/source/parse.h"
#include "generator/source/token.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct parser *parser;
    if (!parser)
        parser = parser_new();
    struct str text = {(const char *)data, size};
    struct buf out = {0};
    struct facts facts = {0};
    parser_run(parser, text, &facts, &out);
    struct unpack u = {(const unsigned char *)facts.imports.p, facts.imports.n, false};
    struct import im;
    while (facts_next(&u, &im))
        if (im.kind < IMPORT_NAME || im.kind > IMPORT_ALL)
            abort();
    if (u.bad)
        abort();
    buf_clear(&out);
    if (!token_strip(&out, text, true) && out.n != 0)
        abort();
    token_hash(text, false);
    buf_release(&out);
    return 0;
}
