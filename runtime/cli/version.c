#include "runtime/cli/version.h"

#include "generator/config/ask.h"
#include "generator/config/interp.h"
#include "generator/config/toml.h"
#include "generator/source/parse.h"
#include "runtime/base/hash.h"
#include "runtime/cli/options.h"
#include "runtime/cli/self.h"
#include "runtime/report/json.h"
#include "runtime/report/junit.h"

#include <stdio.h>
#include <sys/wait.h>

static void print_libraries(void)
{
    unsigned xxh = hash_version(), xml = junit_library_version();
    printf("tree-sitter %s, of TOML %s\n", parser_version(), toml_version());
    printf("cJSON %s\n", json_version());
    printf("xxHash %u.%u.%u\n", xxh / 10000, xxh / 100 % 100, xxh % 100);
    if (xml)
        printf("libxml2 %u.%u.%u\n", xml / 10000, xml / 100 % 100, xml % 100);
    else
        puts("libxml2 not found: no JUnit XML can be written");
}

static void print_ninja(struct cli *c)
{
    struct err err = {{0}};
    struct buf out = {0};
    int status = 0;
    char option[] = "--version";
    char *argv[] = {(char *)(uintptr_t)find_ninja(&c->arena, &err), option, NULL};
    bool ok = argv[0] && ask_program(argv, c->cwd, true, &out, &status, &err) && WIFEXITED(status) && !WEXITSTATUS(status);
    struct str version = str_trim(buf_view(&out));
    if (ok)
        printf("ninja %.*s (%s)\n", (int)version.n, version.p, argv[0]);
    else
        printf("ninja %s\n", err.msg[0] ? err.msg : "cannot be started");
    buf_release(&out);
}

static void print_python(struct cli *c)
{
    struct interp x;
    struct err err = {{0}};
    if (!interp_find(&x, c->python, c->cwd, &err)) {
        printf("python %s\n", err.msg);
        return;
    }
    printf("python %u.%u", x.major, x.minor);
    if (x.micro >= 0)
        printf(".%d", x.micro);
    printf(" (%.*s)\n", (int)x.executable.n, x.executable.p);
    if (x.pytest.n)
        printf("pytest %.*s\n", (int)x.pytest.n, x.pytest.p);
    else
        puts("pytest not installed there");
    interp_release(&x);
}

void version_print(struct cli *c)
{
    puts("fastest " FASTEST_VERSION);
    print_libraries();
    fflush(stdout);
    print_ninja(c);
    print_python(c);
}
