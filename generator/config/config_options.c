#include "generator/config/config_options.h"

#include "generator/config/config_args.h"

#include <stddef.h>

#define AT(field) offsetof(struct config_args, field)
#define OWN(text) {.name = text}
#define OWN_VALUE(text) {.name = text, .value = VALUE_YES}
#define OWN_MAYBE(text) {.name = text, .value = VALUE_MAYBE}
#define OWN_STR(text, field) {.name = text, .value = VALUE_YES, .kind = OPTION_STR, .offset = AT(field)}
#define OWN_LIST(text, field) {.name = text, .value = VALUE_YES, .kind = OPTION_LIST, .offset = AT(field)}
#define OWN_FLAG(text, field) {.name = text, .kind = OPTION_FLAG, .offset = AT(field)}
#define PLUGIN(text) {.name = text, .plugin = true}
#define PLUGIN_VALUE(text) {.name = text, .value = VALUE_YES, .plugin = true}
#define PLUGIN_MAYBE(text) {.name = text, .value = VALUE_MAYBE, .plugin = true}

/* pytest's own first; xdist, cov, timeout, randomly, asyncio, hypothesis, benchmark, rerunfailures,
 * html, django, split, repeat, doctestplus and a few others after them. */
static const struct config_option options[] = {
    OWN_VALUE("--assert"), OWN_VALUE("--basetemp"), OWN("--cache-clear"), OWN_MAYBE("--cache-show"),
    OWN_VALUE("--capture"), OWN("--co"), OWN_VALUE("--code-highlight"),
    OWN_FLAG("--collect-in-virtualenv", in_venv), OWN("--collect-only"), OWN("--collectonly"),
    OWN_VALUE("--color"), OWN_STR("--confcutdir", confcutdir), OWN_STR("--config-file", inifile),
    OWN_FLAG("--continue-on-collection-errors", continue_on_errors), OWN_MAYBE("--debug"),
    OWN_LIST("--deselect", deselect), OWN_FLAG("--disable-plugin-autoload", no_autoload),
    OWN("--disable-pytest-warnings"), OWN("--disable-warnings"), OWN("--doctest-continue-on-failure"),
    OWN_LIST("--doctest-glob", doctest_glob), OWN("--doctest-ignore-import-errors"),
    OWN_FLAG("--doctest-modules", doctest_modules), OWN_VALUE("--doctest-report"),
    OWN_VALUE("--durations"), OWN_VALUE("--durations-min"), OWN("--exitfirst"), OWN("--failed-first"),
    OWN("--ff"), OWN("--fixtures"), OWN("--fixtures-per-test"), OWN("--force-short-summary"),
    OWN("--full-trace"), OWN("--fulltrace"), OWN("--funcargs"), OWN("--help"),
    OWN_LIST("--ignore", ignore), OWN_LIST("--ignore-glob", ignore_glob),
    OWN_STR("--import-mode", import_mode), OWN_VALUE("--junit-prefix"), OWN_VALUE("--junit-xml"),
    OWN_VALUE("--junitprefix"), OWN_VALUE("--junitxml"), OWN("--keep-duplicates"),
    OWN("--keepduplicates"), OWN("--last-failed"), OWN_VALUE("--last-failed-no-failures"), OWN("--lf"),
    OWN_VALUE("--lfnf"), OWN_VALUE("--log-auto-indent"), OWN_VALUE("--log-cli-date-format"),
    OWN_VALUE("--log-cli-format"), OWN_VALUE("--log-cli-level"), OWN_VALUE("--log-date-format"),
    OWN_VALUE("--log-disable"), OWN_VALUE("--log-file"), OWN_VALUE("--log-file-date-format"),
    OWN_VALUE("--log-file-format"), OWN_VALUE("--log-file-level"), OWN_VALUE("--log-file-mode"),
    OWN_VALUE("--log-format"), OWN_VALUE("--log-level"), OWN("--markers"), OWN_VALUE("--max-warnings"),
    OWN_VALUE("--maxfail"), OWN("--new-first"), OWN("--nf"), OWN("--no-fold-skipped"),
    OWN("--no-header"), OWN("--no-showlocals"), OWN("--no-summary"),
    OWN_FLAG("--noconftest", noconftest), OWN_LIST("--override-ini", overrides),
    OWN_VALUE("--pastebin"), OWN("--pdb"), OWN_VALUE("--pdbcls"), OWN_FLAG("--pyargs", pyargs),
    OWN_LIST("--pythonwarnings", warnings), {.name = "--quiet", .kind = OPTION_LESS},
    OWN_VALUE("--report-chars"), OWN_STR("--rootdir", rootdir), OWN("--runxfail"), OWN("--setup-only"),
    OWN("--setup-plan"), OWN("--setup-show"), OWN("--setuponly"), OWN("--setupplan"),
    OWN("--setupshow"), OWN_VALUE("--show-capture"), OWN("--showlocals"), OWN("--stepwise"),
    OWN("--stepwise-reset"), OWN("--stepwise-skip"),
    {.name = "--strict", .kind = OPTION_OVERRIDE, .store = "strict=true"},
    {.name = "--strict-config", .kind = OPTION_OVERRIDE, .store = "strict_config=true"},
    {.name = "--strict-markers", .kind = OPTION_OVERRIDE, .store = "strict_markers=true"}, OWN("--sw"),
    OWN("--sw-reset"), OWN("--sw-skip"), OWN_VALUE("--tb"), OWN("--trace"), OWN("--trace-config"),
    OWN("--traceconfig"), {.name = "--verbose", .kind = OPTION_MORE},
    {.name = "--verbosity", .value = VALUE_YES, .kind = OPTION_VERBOSITY}, OWN("--version"),
    OWN("--xfail-tb"), OWN("-V"), OWN_LIST("-W", warnings), OWN_STR("-c", inifile), OWN("-h"),
    OWN_STR("-k", keyword), OWN("-l"), OWN_STR("-m", markexpr), OWN_LIST("-o", overrides),
    OWN_LIST("-p", plugins), {.name = "-q", .kind = OPTION_LESS}, OWN_VALUE("-r"), OWN("-s"),
    {.name = "-v", .kind = OPTION_MORE}, OWN("-x"), PLUGIN("--asyncio-debug"),
    PLUGIN("--benchmark-autosave"), PLUGIN("--benchmark-disable"), PLUGIN("--benchmark-disable-gc"),
    PLUGIN("--benchmark-enable"), PLUGIN("--benchmark-only"), PLUGIN("--benchmark-quiet"),
    PLUGIN("--benchmark-save-data"), PLUGIN("--benchmark-skip"), PLUGIN("--benchmark-verbose"),
    PLUGIN("--black"), PLUGIN("--cov-append"), PLUGIN("--cov-branch"), PLUGIN("--cov-reset"),
    PLUGIN("--create-db"), PLUGIN("--disable-socket"), PLUGIN("--doctest-only"),
    PLUGIN("--doctest-plus"), PLUGIN("--doctest-rst"), PLUGIN("--fail-on-flaky"),
    PLUGIN("--fail-on-template-vars"), PLUGIN("--flake8"), PLUGIN("--force-regen"),
    PLUGIN("--force-sugar"), PLUGIN("--hypothesis-explain"), PLUGIN("--hypothesis-show-statistics"),
    PLUGIN("--isort"), PLUGIN("--json-report"), PLUGIN("--loadscope-reorder"), PLUGIN("--looponfail"),
    PLUGIN("--migrations"), PLUGIN("--mpl"), PLUGIN("--mypy"), PLUGIN("--nbval"), PLUGIN("--nbval-lax"),
    PLUGIN("--no-cov"), PLUGIN("--no-cov-on-fail"), PLUGIN("--no-loadscope-reorder"),
    PLUGIN("--no-migrations"), PLUGIN("--nomigrations"), PLUGIN("--old-summary"),
    PLUGIN("--random-order"), PLUGIN("--randomly-dont-reorganize"),
    PLUGIN("--randomly-dont-reset-seed"), PLUGIN("--regen-all"), PLUGIN("--reuse-db"), PLUGIN("--ruff"),
    PLUGIN("--ruff-format"), PLUGIN("--self-contained-html"), PLUGIN("--snapshot-update"),
    PLUGIN("--store-durations"), PLUGIN("--testmon"), PLUGIN("--timeout-disable-debugger-detection"),
    PLUGIN("-d"), PLUGIN("-f"), PLUGIN_VALUE("--allow-hosts"), PLUGIN_VALUE("--asyncio-mode"),
    PLUGIN_VALUE("--benchmark-calibration-precision"), PLUGIN_VALUE("--benchmark-columns"),
    PLUGIN_VALUE("--benchmark-compare-fail"), PLUGIN_VALUE("--benchmark-cprofile"),
    PLUGIN_VALUE("--benchmark-cprofile-dump"), PLUGIN_VALUE("--benchmark-cprofile-loops"),
    PLUGIN_VALUE("--benchmark-cprofile-top"), PLUGIN_VALUE("--benchmark-group-by"),
    PLUGIN_VALUE("--benchmark-json"), PLUGIN_VALUE("--benchmark-max-time"),
    PLUGIN_VALUE("--benchmark-min-rounds"), PLUGIN_VALUE("--benchmark-min-time"),
    PLUGIN_VALUE("--benchmark-name"), PLUGIN_VALUE("--benchmark-save"),
    PLUGIN_VALUE("--benchmark-sort"), PLUGIN_VALUE("--benchmark-storage"),
    PLUGIN_VALUE("--benchmark-time-unit"), PLUGIN_VALUE("--benchmark-timer"),
    PLUGIN_VALUE("--benchmark-warmup-iterations"), PLUGIN_VALUE("--count"),
    PLUGIN_VALUE("--cov-config"), PLUGIN_VALUE("--cov-context"), PLUGIN_VALUE("--cov-fail-under"),
    PLUGIN_VALUE("--cov-precision"), PLUGIN_VALUE("--cov-report"), PLUGIN_VALUE("--css"),
    PLUGIN_VALUE("--dc"), PLUGIN_VALUE("--dist"), PLUGIN_VALUE("--doctest-plus-generate-diff"),
    PLUGIN_VALUE("--ds"), PLUGIN_VALUE("--durations-path"), PLUGIN_VALUE("--group"),
    PLUGIN_VALUE("--html"), PLUGIN_VALUE("--hypothesis-profile"), PLUGIN_VALUE("--hypothesis-seed"),
    PLUGIN_VALUE("--hypothesis-verbosity"), PLUGIN_VALUE("--json-report-file"),
    PLUGIN_VALUE("--max-worker-restart"), PLUGIN_VALUE("--maxprocesses"),
    PLUGIN_VALUE("--maxschedchunk"), PLUGIN_VALUE("--mpl-generate-path"),
    PLUGIN_VALUE("--numprocesses"), PLUGIN_VALUE("--only-rerun"), PLUGIN_VALUE("--px"),
    PLUGIN_VALUE("--random-order-bucket"), PLUGIN_VALUE("--random-order-seed"),
    PLUGIN_VALUE("--randomly-seed"), PLUGIN_VALUE("--repeat-scope"), PLUGIN_VALUE("--report-log"),
    PLUGIN_VALUE("--rerun-except"), PLUGIN_VALUE("--reruns"), PLUGIN_VALUE("--reruns-delay"),
    PLUGIN_VALUE("--rsyncdir"), PLUGIN_VALUE("--rsyncignore"), PLUGIN_VALUE("--session-timeout"),
    PLUGIN_VALUE("--splits"), PLUGIN_VALUE("--splitting-algorithm"), PLUGIN_VALUE("--testrunuid"),
    PLUGIN_VALUE("--timeout"), PLUGIN_VALUE("--timeout-method"), PLUGIN_VALUE("--timeout_method"),
    PLUGIN_VALUE("--tx"), PLUGIN_VALUE("-n"), PLUGIN_MAYBE("--benchmark-compare"),
    PLUGIN_MAYBE("--benchmark-histogram"), PLUGIN_MAYBE("--benchmark-netrc"),
    PLUGIN_MAYBE("--benchmark-warmup"), PLUGIN_MAYBE("--cov"), PLUGIN_MAYBE("--picked"),
    PLUGIN_MAYBE("--remote-data"),
};

const struct config_option *config_option_find(struct str name, bool plugins)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if ((plugins || !options[i].plugin) && str_eq(name, str_z(options[i].name)))
            return &options[i];
    return NULL;
}

const struct config_option *config_option_at(size_t i)
{
    return i < sizeof options / sizeof *options ? &options[i] : NULL;
}
