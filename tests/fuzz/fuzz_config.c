/* Any bytes as an ini file, a TOML file, words of a shell or a command line: refused or read, never
 * more. What the TOML scan is certain of must mean the same as the whole file. */
#include "generator/config/config_args.h"
#include "generator/config/ini.h"
#include "generator/config/toml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static bool same(const struct toml_value *a, const struct toml_value *b)
{
    if (!a || !b)
        return a == b;
    if (a->type != b->type || !str_eq(a->key, b->key) || !str_eq(a->text, b->text))
        return false;
    const struct toml_value *x = a->first, *y = b->first;
    while (x && y && same(x, y)) {
        x = x->next;
        y = y->next;
    }
    return !x && !y;
}

static void fuzz_toml(struct str text, struct arena *a)
{
    struct toml_value whole, cut;
    struct err err = {{0}};
    bool ok = toml_parse(&whole, STR("p"), text, a, &err);
    if (!ok && !err.msg[0])
        abort();
    if (!toml_parse_tool(&cut, STR("p"), text, a, &err) || !ok)
        return;
    const struct toml_value *t1 = toml_get(&whole, STR("tool")), *t2 = toml_get(&cut, STR("tool"));
    if (!same(toml_get(t1, STR("pytest")), toml_get(t2, STR("pytest"))) ||
        !same(toml_get(t1, STR("fastest")), toml_get(t2, STR("fastest"))))
        abort();
}

static void fuzz_ini(struct str text, struct arena *a)
{
    struct ini ini = {0};
    struct err err = {{0}};
    if (!ini_parse(&ini, STR("p"), text, a, &err) && !err.msg[0])
        abort();
    ini_release(&ini);
}

static void fuzz_words(struct str text, struct arena *a)
{
    struct strs words = {0};
    struct err err = {{0}};
    struct config_args args = {0};
    struct config_args_rules rules = {800, text.n % 2 == 0, STR("/nonexistent"), a};
    if (ini_shlex(text, a, &words, &err) && !config_args_parse(&args, &words, &rules, &err) && !err.msg[0])
        abort();
    config_args_release(&args);
    strs_release(&words);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct arena a = {0};
    if (size == 0)
        return 0;
    struct str text = {arena_dup(&a, data + 1, size - 1), size - 1};
    if (data[0] % 3 == 0)
        fuzz_toml(text, &a);
    else if (data[0] % 3 == 1)
        fuzz_ini(text, &a);
    else
        fuzz_words(text, &a);
    arena_release(&a);
    return 0;
}
