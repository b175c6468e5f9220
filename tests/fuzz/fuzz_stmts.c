/* Any bytes as a source: the outline, the whole tree and the line scanner must end and, where there is
 * no syntax error and the scanner answers, say the same. Tree-sitter accepts more than Python: where they
 * differ, a Python beside us tells whether the text was one. */
#include "generator/source/decode.h"
#include "generator/source/parse_regex.h"
#include "generator/source/parse_stmts.h"
#include "runtime/base/io.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static const char oracle[] =
    "import ast, sys, warnings\n"
    "warnings.simplefilter('ignore')\n"
    "source, answer = sys.stdin.buffer, sys.stdout.buffer\n"
    "while head := source.read(8):\n"
    "    text = source.read(int.from_bytes(head, 'little'))\n"
    "    try:\n"
    "        compile(text, 'x', 'exec', dont_inherit=True)\n"
    "        valid = b'y'\n"
    "    except Exception:\n"
    "        valid = b'n'\n"
    "    answer.write(valid)\n"
    "    answer.flush()\n";

static void oracle_start(int to[2], int from[2])
{
    if (pipe(to) != 0 || pipe(from) != 0)
        abort();
    signal(SIGPIPE, SIG_IGN);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int i = 0; i < 2; i++) {
            close(to[i]);
            close(from[i]);
        }
        execlp("python3", "python3", "-I", "-c", oracle, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    if (pid < 0)
        abort();
}

/* Does Python take the text? No when there is no Python. */
static bool is_python(struct str text)
{
    static int to[2], from[2];
    char answer = 'n';
    uint64_t n = text.n;
    if (!to[1])
        oracle_start(to, from);
    if (!io_write_all(to[1], &n, sizeof n) || !io_write_all(to[1], text.p, text.n))
        return false;
    return io_read_full(from[0], &answer, 1) == 1 && answer == 'y';
}

static bool has_error(struct str packed)
{
    struct stmt s;
    bool error = false;
    while (stmts_next(&packed, &s))
        error = error || s.kind == STMT_ERROR;
    if (packed.n)
        abort(); /* what is written can be read to its end */
    return error;
}

static void run(struct stmt_parser *p, bool whole, struct str text, struct buf *out)
{
    stmt_parser_whole(p, whole);
    stmt_parser_run(p, text, out);
}

static void show(const char *title, struct str packed)
{
    struct stmt s;
    fprintf(stderr, "-- %s\n", title);
    while (stmts_next(&packed, &s))
        fprintf(stderr, "%*s%s %u words %u: %.*s\n", s.depth * 2, "", stmts_kind_name((enum stmt_kind)s.kind),
                s.line, s.words, (int)s.text.n, s.text.p);
}

static struct str view(const struct buf *b)
{
    return b->n ? buf_view(b) : STR("");
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct stmt_parser *parser;
    struct buf text = {0}, outline = {0}, whole = {0}, lines = {0};
    const char *error;
    uint32_t line;
    if (!parser)
        parser = stmt_parser_new();
    buf_add(&text, data, size);
    bool decoded = decode_source(&text, &error, &line);
    run(parser, false, view(&text), &outline);
    run(parser, true, view(&text), &whole);
    bool answers = parse_regex(view(&text), &lines);
    if (!answers && lines.n)
        abort();
    bool valid = decoded && !has_error(view(&outline)) && !has_error(view(&whole));
    has_error(view(&lines));
    bool same = str_eq(view(&outline), view(&whole)) && (!answers || str_eq(view(&outline), view(&lines)));
    if (valid && !same && is_python(view(&text))) {
        show("outline", view(&outline));
        show("whole", view(&whole));
        show(answers ? "lines" : "lines: handed over", view(&lines));
        abort();
    }
    buf_release(&text);
    buf_release(&outline);
    buf_release(&whole);
    buf_release(&lines);
    return 0;
}
