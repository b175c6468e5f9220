#include "runtime/cli/table.h"

#include "runtime/cli/options.h"

#include <string.h>

const struct command cli_commands[] = {
    {.name = "run", .scope = FOR_RUN, .run = command_run, .takes = TAKES_TESTS, .pytest = true,
     .args = "[paths | node ids]",
     .summary = "run what is stale and report everything (the default)",
     .text = "Runs a pytest suite as an incremental build: test modules whose sources and inputs have not changed since "
             "they passed are reported from their records, the others run in parallel."},
    {.name = "init", .scope = FOR_INIT, .run = command_init, .takes = TAKES_TESTS, .pytest = true,
     .args = "[paths]",
     .summary = "write build.ninja, for `ninja test`",
     .text = "Writes build.ninja into pytest's rootdir, and below .fastest what it includes. The options and paths are "
             "those with which the tests will run. A build.ninja of your own is left alone: then the lines to add to it "
             "are printed."},
    {.name = "discover", .scope = FOR_DISCOVER, .run = command_discover, .takes = TAKES_TESTS, .pytest = true,
     .args = "[paths | node ids]",
     .summary = "list the tests, without starting Python",
     .text = "Lists the tests as pytest --collect-only -q does, from the sources alone. What only a run can know is "
             "listed by function; --format json says which and why. pytest's options mean what they mean there."},
    {.name = "watch", .scope = FOR_WATCH, .run = command_watch, .takes = TAKES_TESTS, .pytest = true,
     .args = "[paths | node ids]",
     .summary = "run what each save affects, failed tests first",
     .text = "Runs what is stale, then waits: a save runs what it affects, failed tests first, on workers that stay. Keys: a "
             "runs all, f those that failed, k asks for a filter (-k), Enter runs again what is stale or failed, q quits."},
    {.name = "why", .scope = FOR_WHY, .run = command_why, .takes = TAKES_FILES, .pytest = true,
     .args = "[TEST | FILE | BATCH]...",
     .summary = "what changed, and the imports that lead to it; or why nothing runs",
     .text = "Says why a test would run or would not: what changed, and the imports that lead to it. Of a source or a data "
             "file: which modules depend on it. Without a name: all that would run."},
    {.name = "affected", .scope = FOR_AFFECTED, .run = command_affected, .takes = TAKES_FILES, .pytest = true,
     .args = "[--since REV | FILE...]",
     .summary = "the tests that a change touches, not run",
     .text = "Lists the tests that a change may touch, without running them: of the files named, of what changed since a "
             "git revision, or else since the last run."},
    {.name = "graph", .scope = FOR_GRAPH, .run = command_graph, .takes = TAKES_FILES, .pytest = true,
     .args = "[FILE | MODULE]...",
     .summary = "what imports what",
     .text = "The project's sources and what they import, as far as the sources say: all of it, or what the named ones import "
             "and what imports them. For Graphviz, for Mermaid in Markdown, or as JSON: {path: [imported paths]}."},
    {.name = "report", .scope = FOR_REPORT, .run = command_report, .takes = TAKES_NOTHING,
     .args = "",
     .summary = "the last run again: one page, a trace, or any other format",
     .text = "Reports on the last run from its records. Runs nothing. Without a file it prints what the run has printed. "
             "--html writes one page with outcomes, failures, the slowest tests, the workers, causes and imports; it needs "
             "no network."},
    {.name = "audit", .scope = FOR_AUDIT, .run = command_audit, .takes = TAKES_NOTHING, .pytest = true,
     .args = "",
     .summary = "run clean modules again; fail when a result differs",
     .text = "Runs modules whose results are cached, and fails when a test has another outcome than its record: then a "
             "dependency was missed, and is named where it can be told."},
    {.name = "cache", .scope = FOR_CACHE, .run = command_cache, .takes = TAKES_WORD, .words = "stats|clear|dump",
     .args = "stats|clear|dump",
     .summary = "what the parse cache holds, which all checkouts share",
     .text = "Of what the parser found in sources, kept by their text: stats shows hits, misses and sizes, clear removes "
             "it, dump prints it as JSON."},
    {.name = "pool", .scope = FOR_POOL, .run = command_pool, .takes = TAKES_WORD, .words = "status|stop",
     .args = "status|stop",
     .summary = "the persistent workers of this directory",
     .text = "Shows or ends the workers that --persistent-workers keeps for the next run."},
    {.name = "config", .scope = FOR_CONFIG_COMMAND, .run = command_config, .takes = TAKES_TESTS, .pytest = true,
     .args = "[paths]",
     .summary = "every setting, and where it comes from",
     .text = "Prints the settings that a run with these arguments has, and where each comes from: [tool.fastest] of "
             "pyproject.toml in pytest's rootdir, the addopts of pytest's configuration, a FASTEST_NAME variable, or the "
             "command line. What comes later in this list counts."},
    {.name = "history", .scope = FOR_HISTORY, .run = command_history, .takes = TAKES_FILES, .pytest = true,
     .args = "[paths | node ids]",
     .summary = "how long tests took and how they ended in the last runs; which flip",
     .text = "Of the last 16 runs of each test, cached results left out: the mean duration, recent runs counting more, and how "
             "often it failed. It flips when it ends otherwise although nothing that it depends on has changed. Without a name: "
             "the slowest tests; with one: every run of it."},
    {.name = "doctor", .scope = FOR_DOCTOR, .run = command_doctor, .takes = TAKES_TESTS, .pytest = true,
     .args = "[paths]",
     .summary = "what is wrong with the environment, and what to do",
     .text = "Looks at the interpreter, pytest, Ninja, what the tracer needs, the directories, the clock of the file system, "
             "sockets, a pool that runs, limits and the project's configuration. Exit code 1 when something keeps tests from "
             "running."},
    {.name = "completion", .scope = FOR_COMPLETION, .run = command_completion, .takes = TAKES_WORD, .words = "bash|zsh|fish",
     .args = "bash|zsh|fish",
     .summary = "a script with which the shell completes commands, options and tests",
     .text = "Prints a script for the shell. bash: eval \"$(fastest completion bash)\" in ~/.bashrc; zsh: the same with zsh, "
             "behind compinit, in ~/.zshrc; fish: fastest completion fish | source in config.fish."},
    {.name = "help", .scope = FOR_HELP, .run = command_help, .takes = TAKES_WORD,
     .args = "[COMMAND]",
     .summary = "what a command does, and its options",
     .text = "The same as `fastest COMMAND --help`."},
    {.name = "complete", .scope = FOR_COMPLETE, .run = command_complete, .takes = TAKES_RAW, .hidden = true,
     .args = "WORD...",
     .summary = "what could stand at the end of a command line",
     .text = "Lists, one a line, what the last of these words could become; the scripts of `fastest completion` ask it."},
    {.name = "man", .scope = FOR_MAN, .run = command_man, .takes = TAKES_NOTHING, .hidden = true,
     .args = "",
     .summary = "the manual page",
     .text = "Prints the manual page: fastest man >fastest.1; man ./fastest.1"},
    {.name = "scan", .scope = FOR_SCAN, .run = command_scan, .takes = TAKES_TESTS, .pytest = true, .hidden = true,
     .args = "[paths]",
     .summary = "look at the sources, and write the graph for Ninja",
     .text = "The edge with which Ninja makes graph.ninja; `fastest init` writes it."},
    {.name = "batch", .scope = FOR_BATCH, .run = command_batch, .takes = TAKES_RAW, .hidden = true,
     .args = "STATE_DIR NAME",
     .summary = "run a batch",
     .text = "The edge with which Ninja runs the stale modules of a batch; the scan writes it."},
    {.name = "summary", .scope = FOR_SUMMARY, .run = command_summary, .takes = TAKES_RAW, .hidden = true,
     .args = "STATE_DIR",
     .summary = "report the run",
     .text = "The edge with which Ninja ends a run; the scan writes it."},
    {0}};

#define AT(field) offsetof(struct cli, field)

/* name, letter, kind, field, its value's name, where it is known, the values there are, help */
const struct opt cli_options[] = {
    /* of single commands; they come before a row of the same name that every command knows */
    {"format", 0, OPT_STRING, AT(format), "NAME", FOR_DISCOVER, "lines|json", "lines (the default) or json"},
    {"no-cache", 0, OPT_FLAG, AT(no_cache), NULL, FOR_DISCOVER, NULL, "parse every file again"},
    {"since", 0, OPT_STRING, AT(since), "REV", FOR_AFFECTED, NULL, "what changed since this git revision"},
    {"modules", 0, OPT_FLAG, AT(modules), NULL, FOR_AFFECTED, NULL, "test modules instead of node ids"},
    {"json", 0, OPT_FLAG, AT(as_json), NULL, FOR_WHY | FOR_AFFECTED | FOR_CACHE | FOR_CONFIG_COMMAND | FOR_DOCTOR | FOR_HISTORY,
     NULL, "print JSON"},
    {"json", 0, OPT_FLAG, AT(as_json), NULL, FOR_GRAPH, NULL, "JSON"},
    {"dot", 0, OPT_FLAG, AT(dot), NULL, FOR_GRAPH, NULL, "Graphviz (the default)"},
    {"mermaid", 0, OPT_FLAG, AT(mermaid), NULL, FOR_GRAPH, NULL, "a Mermaid flowchart"},
    {"steps", 0, OPT_INT, AT(steps), "N", FOR_GRAPH, NULL, "so many imports away at most (default: any number)"},
    {"html", 0, OPT_STRING, AT(html), "FILE", FOR_REPORT, NULL, "one page with everything"},
    {"trace", 0, OPT_STRING, AT(trace), "FILE", FOR_REPORT, NULL, "what the workers did, for a browser's trace viewer"},
    {"slowest", 0, OPT_INT, AT(slowest), "N", FOR_HISTORY, NULL, "the N slowest (default: 10 where no test is named)"},
    {"flaky", 0, OPT_FLAG, AT(flaky), NULL, FOR_HISTORY, NULL, "only tests that flip"},
    {"sample", 0, OPT_INT, AT(sample), "N", FOR_AUDIT, NULL, "only N modules, chosen at random"},
    {"seed", 0, OPT_INT, AT(seed), "N", FOR_AUDIT, NULL, "of the choice (default: the time; it is printed)"},

    /* of a run */
    {"python", 0, OPT_STRING, AT(python), "PATH", FOR_RUN | FOR_CONFIG, NULL,
     "interpreter (default: $VIRTUAL_ENV's, then python3)"},
    {"state-dir", 0, OPT_STRING, AT(state_dir), "DIR", FOR_RUN | FOR_REPORT | FOR_POOL | FOR_CONFIG, NULL,
     "state directory (default: .fastest in pytest's rootdir)"},
    {"workers", 'n', OPT_INT, AT(workers), "N", FOR_RUN | FOR_PYTEST | FOR_CONFIG, "auto|logical",
     "worker processes (default: auto, one a processor, more while tests sleep)"},
    {"numprocesses", 0, OPT_INT, AT(workers), "N", FOR_RUN | FOR_PYTEST, "auto|logical", NULL},
    {"jobs", 'j', OPT_INT, AT(workers), "N", FOR_RUN, "auto|logical", NULL},
    {"optimizer", 0, OPT_STRING, AT(optimizer_name), "NAME", FOR_RUN | FOR_CONFIG,
     "standard|parallel|optimized|aggressive|verify",
     "how tests are executed: standard, parallel, optimized (the default), aggressive, verify"},
    {"parser", 0, OPT_STRING, AT(parser), "NAME", FOR_RUN | FOR_CONFIG, "ast|regex|auto",
     "of sources, for discover: ast (the default), regex, auto"},
    {"fail-fast", 'x', OPT_FLAG, AT(fail_fast), NULL, FOR_RUN | FOR_PYTEST, NULL, "stop at the first failure"},
    {"exitfirst", 0, OPT_FLAG, AT(fail_fast), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"maxfail", 0, OPT_INT, AT(maxfail), "N", FOR_RUN | FOR_PYTEST, NULL, "stop after N failures"},
    {"last-failed", 0, OPT_FLAG, AT(last_failed), NULL, FOR_RUN | FOR_PYTEST, NULL, "run only the tests that failed last"},
    {"lf", 0, OPT_FLAG, AT(last_failed), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"failed-first", 0, OPT_FLAG, AT(failed_first), NULL, FOR_RUN | FOR_PYTEST, NULL, "run the tests that failed last first"},
    {"ff", 0, OPT_FLAG, AT(failed_first), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"new-first", 0, OPT_FLAG, AT(new_first), NULL, FOR_RUN | FOR_PYTEST, NULL,
     "run tests of new files first, then by the date of their files"},
    {"nf", 0, OPT_FLAG, AT(new_first), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"last-failed-no-failures", 0, OPT_STRING, AT(no_failures), "WHAT", FOR_RUN | FOR_PYTEST, "all|none",
     "what --last-failed runs when nothing failed: all (the default) or none"},
    {"lfnf", 0, OPT_STRING, AT(no_failures), "WHAT", FOR_RUN | FOR_PYTEST, "all|none", NULL},
    {"stepwise", 0, OPT_FLAG, AT(stepwise), NULL, FOR_RUN | FOR_PYTEST, NULL,
     "stop at a failure, and go on from there the next time"},
    {"sw", 0, OPT_FLAG, AT(stepwise), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"stepwise-skip", 0, OPT_FLAG, AT(stepwise_skip), NULL, FOR_RUN | FOR_PYTEST, NULL,
     "the same, but the first failure does not stop it"},
    {"sw-skip", 0, OPT_FLAG, AT(stepwise_skip), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"stepwise-reset", 0, OPT_FLAG, AT(stepwise_reset), NULL, FOR_RUN | FOR_PYTEST, NULL,
     "--stepwise from the start"},
    {"sw-reset", 0, OPT_FLAG, AT(stepwise_reset), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"collect-only", 0, OPT_FLAG, AT(collect_only), NULL, FOR_RUN | FOR_PYTEST, NULL, "list the tests, and run none"},
    {"co", 0, OPT_FLAG, AT(collect_only), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"collectonly", 0, OPT_FLAG, AT(collect_only), NULL, FOR_RUN | FOR_PYTEST, NULL, NULL},
    {"cache-clear", 0, OPT_FLAG, AT(cache_clear), NULL, FOR_RUN | FOR_PYTEST, NULL,
     "remove what pytest keeps in .pytest_cache"},
    {"junitxml", 0, OPT_STRING, AT(junit), "FILE", FOR_RUN | FOR_REPORT | FOR_PYTEST | FOR_CONFIG, NULL, "write JUnit XML (xunit2)"},
    {"junit-xml", 0, OPT_STRING, AT(junit), "FILE", FOR_RUN | FOR_REPORT | FOR_PYTEST, NULL, NULL},
    {"json", 0, OPT_STRING, AT(json), "FILE", FOR_RUN | FOR_REPORT | FOR_CONFIG, NULL, "write pytest-json-report's JSON"},
    {"report-log", 0, OPT_STRING, AT(report_log), "FILE", FOR_RUN | FOR_REPORT | FOR_CONFIG, NULL,
     "write pytest-reportlog's JSON lines"},
    {"output", 0, OPT_STRING, AT(output_name), "NAME", FOR_RUN | FOR_REPORT | FOR_CONFIG, "pretty|json|count|tap|tap14",
     "what is printed: pretty (the default), json, count, tap, tap14"},
    {"tap", 0, OPT_FLAG, AT(tap), NULL, FOR_RUN | FOR_REPORT, NULL, "the same as --output tap"},
    {"github", 0, OPT_FLAG, AT(github), NULL, FOR_RUN | FOR_REPORT | FOR_CONFIG, NULL,
     "print an annotation for each failure and warning, too"},
    {"teamcity", 0, OPT_FLAG, AT(teamcity), NULL, FOR_RUN | FOR_REPORT | FOR_CONFIG, NULL,
     "print TeamCity's service messages, too"},
    {"color", 0, OPT_STRING, AT(color), "WHEN", FOR_RUN | FOR_REPORT | FOR_PYTEST | FOR_CONFIG, "yes|no|auto", "yes, no or auto"},
    {"persistent-workers", 0, OPT_FLAG, AT(persistent), NULL, FOR_RUN | FOR_CONFIG, NULL,
     "keep the pool for the next run"},
    {"pool-idle", 0, OPT_STRING, AT(pool_idle), "TIME", FOR_RUN | FOR_CONFIG, NULL,
     "a kept pool that nobody uses so long ends (default: 10m)"},
    {"isolation", 0, OPT_STRING, AT(isolation_name), "NAME", FOR_RUN | FOR_CONFIG, "batch|session|test|process",
     "a process for: batch (the default: a time slice of modules), session (as long as the run), each test; process: an "
     "interpreter for each module"},
    {"worker-memory", 0, OPT_STRING, AT(worker_memory), "SIZE", FOR_RUN | FOR_CONFIG, NULL,
     "replace a worker that has more memory, as in 500M"},
    {"batch-timeout", 0, OPT_STRING, AT(batch_timeout), "TIME", FOR_RUN | FOR_CONFIG, NULL,
     "end a batch that takes longer; for each test there is pytest-timeout's --timeout, also without that plugin"},
    {"slow-after", 0, OPT_STRING, AT(slow_after), "TIME", FOR_RUN | FOR_CONFIG, NULL,
     "tell of a test while it takes longer (default: 60s; 0: never)"},
    {"retries", 0, OPT_INT, AT(retries), "N", FOR_RUN | FOR_CONFIG, NULL,
     "run a failing test again, up to N times; one that passes then is flaky"},
    {"no-confirm", 0, OPT_FLAG, AT(no_confirm), NULL, FOR_RUN | FOR_CONFIG, NULL,
     "do not run what fails once more, alone, to see whether it fails there"},
    {"no-cache", 0, OPT_FLAG, AT(no_cache), NULL, FOR_RUN | FOR_CONFIG, NULL, "run every module, whatever the records say"},
    {"restore-mtimes", 0, OPT_FLAG, AT(restore_mtimes), NULL, FOR_RUN | FOR_CONFIG, NULL,
     "give unchanged sources their recorded mtimes back (CI)"},
    {"ignore-lines", 0, OPT_FLAG, AT(ignore_lines), NULL, FOR_RUN | FOR_CONFIG, NULL,
     "line numbers do not count as a change"},
    {"ignore-docstrings", 0, OPT_FLAG, AT(ignore_docstrings), NULL, FOR_RUN | FOR_CONFIG, NULL,
     "docstrings do not count as a change of the functions that a test executes"},
    {"help", 'h', OPT_FLAG, AT(help), NULL, FOR_ALL, NULL, "this text"},
    {"version", 'V', OPT_FLAG, AT(version), NULL, FOR_RUN, NULL, "versions of fastest and of all that it uses"},
    {0}};

const struct command *command_find(const char *name)
{
    for (const struct command *c = cli_commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    return NULL;
}

unsigned command_scope(const struct command *c)
{
    return (unsigned)c->scope | (c->pytest ? (unsigned)FOR_RUN : 0);
}
