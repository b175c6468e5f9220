/* The plan: what the scan tells the rest of a run (keys.bin in the state directory).
 *
 * Written once by each scan (plan_save), read by the batch clients, the pool and the summary
 * (plan_load). Views of a loaded plan point into plan.file and live until plan_release.
 * Modules are grouped by batch: batch b owns modules [first, first + count). */
#ifndef FASTEST_GENERATOR_PLAN_H
#define FASTEST_GENERATOR_PLAN_H

#include "runtime/base/arena.h"
#include "runtime/base/buf.h"
#include "runtime/base/err.h"
#include "runtime/base/hash.h"
#include "runtime/base/io.h"
#include "runtime/base/str.h"

enum plan_file_flag {
    FILE_WHOLE = 1, /* counts whole, however little of it has run: a test module, a conftest, a plugin */
    FILE_OPAQUE = 2, /* it has code run where no trace sees it (compilers of functions) */
    FILE_DYNAMIC = 4 /* it imports what only a run can tell */
};

/* A source file of some module's closure, as the scan saw it. */
struct plan_file {
    struct str path; /* absolute */
    struct io_stat st;
    uint32_t flags;
};

struct plan_module {
    struct str path;    /* absolute, as pytest names it (symbolic links kept) */
    struct str rel;     /* relative to rootdir, '/' separated: the file part of its node ids */
    struct str record;  /* absolute path of its record, <state>/m/<name>.rec */
    struct hash128 key; /* content key, DESIGN section 3, parts 1 to 3 */
    struct hash128 loose; /* the same without what the sources in it say, for records that tell what has run */
    uint32_t batch;
    bool stale;         /* must run: no valid record of a pass */
    uint32_t took_ms;   /* what its tests took last time; 0 = not known */
    struct io_stat record_st; /* of the record, as the scan found it; not saved: kind is 0 in a loaded plan */
    struct str why;     /* one short reason for a person: "new", "changed src/util.py", "failed" */
    uint32_t *files;    /* closure: indices into plan.files, ascending */
    uint32_t n_files;
};

struct plan_batch {
    struct str name;  /* also the stem of b/<name>.ok, .d */
    uint32_t first, count;
};

/* --optimizer: how the tests are executed; the outcomes are the same. */
enum optimizer {
    OPTIMIZER_OPTIMIZED,  /* parallel, and plain tests run and are collected without idle hooks */
    OPTIMIZER_STANDARD,   /* one worker, pytest's own protocol */
    OPTIMIZER_PARALLEL,   /* workers share the modules, pytest's own protocol */
    OPTIMIZER_AGGRESSIVE, /* optimized, and the trades that the README lists */
    OPTIMIZER_VERIFY,     /* each plain test runs both ways, and the reports are compared */
    N_OPTIMIZERS
};
/* NULL after the last. */
const char *optimizer_name(enum optimizer o);

/* --isolation: what tests share. */
enum isolation {
    ISOLATION_BATCH,   /* a process for a time slice of modules */
    ISOLATION_SESSION, /* a process serves as long as the run */
    ISOLATION_TEST,    /* a process for each test */
    ISOLATION_PROCESS, /* an interpreter for each module */
    N_ISOLATIONS
};

/* Options of this run that the edges need; all of them come from the command line. */
struct plan_options {
    struct str python;         /* absolute path of the interpreter */
    struct str pytest_cache;   /* pytest's cache directory, absolute; "": none is kept */
    struct str tty;            /* the terminal of the run, "": it has none */
    struct str junit, json;    /* absolute paths; "" = only the copies in the state directory */
    struct str report_log, trace; /* absolute paths, "" = not wanted */
    uint32_t output;           /* what is printed: enum summary_output of runtime/report */
    bool tap, tap14, github, teamcity; /* further reports that are printed */
    uint32_t workers;          /* 0 = automatic */
    uint32_t jobs;             /* no more workers than this: -j of the ninja around us; 0 = no limit */
    struct str job_input, job_output; /* paths of make's jobserver; "" without one */
    bool job_edges;            /* each batch has taken a token of it already */
    uint32_t maxfail;          /* 0 = no limit; -x is 1 */
    uint32_t verbosity;        /* 0 normal, 1 = -v, UINT32_MAX = -q */
    enum optimizer optimizer;
    bool live;                 /* failures are shown as they come: batches print none */
    enum isolation isolation;
    uint32_t batch_timeout_ms; /* of a batch, from its first test on; 0 = none */
    uint32_t slow_ms;          /* a test that takes longer is told of; 0 = none */
    uint32_t idle_ms;          /* a persistent pool that nobody uses ends after it */
    uint32_t retries;          /* of a failing test */
    uint64_t worker_memory;    /* bytes; a worker that has more is replaced; 0 = no limit */
    bool confirms;             /* what fails is run once more, alone */
    bool persistent;           /* --persistent-workers */
    bool color;
};

/* [tool.fastest.groups]: modules that one worker runs, one after the other. */
struct plan_group {
    struct str name, glob;
};

struct plan {
    uint64_t run_id;         /* new for each scan, never 0 */
    int64_t scan_start_ns;   /* wall clock, before the first file was looked at */
    struct str root;         /* rootdir, absolute */
    struct str cwd;          /* where pytest runs (its invocation directory), absolute */
    struct str state_dir;    /* absolute */
    struct str *args;        /* pytest's own command line: options and paths, without ours */
    uint32_t n_args;
    struct str *report;      /* "name=value", see plan_report */
    uint32_t n_report;
    struct str *only;        /* node ids: of a module that one of them is in, only these run */
    struct str *first;       /* node ids that run first in their module */
    uint32_t n_only, n_first;
    struct hash128 sources;  /* every first-party source that is known (for "depends on all") */
    struct hash128 contents; /* every file below rootdir; zero when no record asks for it */
    struct hash128 environment; /* interpreter, distributions, configuration, declared variables */
    struct plan_options options;
    struct plan_file *files;
    struct plan_module *modules;
    struct plan_batch *batches;
    struct str *serial;      /* [tool.fastest] serial: globs of modules beside which nothing runs */
    struct plan_group *groups;
    uint32_t n_files, n_modules, n_batches, n_serial, n_groups;
    struct str plain;        /* not saved: the option that only plain pytest can serve; then nothing else is filled */
    bool other;              /* the last batch, "@other", runs what no planned module covers */
    struct arena arena;      /* owns the arrays */
    struct buf file;         /* owns the views after plan_load */
};

/* <state>/keys.bin. False with err when it cannot be written. */
bool plan_save(const struct plan *p, struct err *err);
/* False with err (with the remedy) when it is missing, damaged or of another version. */
bool plan_load(struct plan *p, const char *state_dir, struct err *err);
void plan_release(struct plan *p);
/* <state>/<name>, which tells something of this run to its other processes: "stop" (fail-fast was
 * reached), "interrupted" (by collection errors: no test runs) and "error" (the exit code in
 * decimal, a newline, the text). The first of a run stays:
 * false when there is one already, or when it cannot be written. */
bool plan_mark(const struct plan *p, const char *name, struct str text);
/* Whether this run has it; one that an earlier run left, or leaves late, counts for nothing.
 * *text, unless NULL, gets its text. */
bool plan_marked(const struct plan *p, const char *name, struct buf *text);
/* What pytest's files, addopts and arguments say about reports: pytest_version, verbosity, reportchars, tbstyle, showcapture,
 * durations, durations_min, no_summary, no_header, xfail_tb, fold_skipped, color, xmlpath (absolute), junitprefix,
 * junit_*, console_output_style, and a "header" for each line of pytest's head. p == NULL: not set. */
struct str plan_report(const struct plan *p, const char *name);
/* This run no longer has it. */
void plan_unmark(const struct plan *p, const char *name);
/* Has it a module that must run? "@other" always has. */
bool plan_batch_stale(const struct plan *p, const struct plan_batch *b);
/* Is a record with these flags (enum record_flag), that was made with these sources, still right about them? */
bool plan_sources_hold(const struct plan *p, uint32_t flags, struct hash128 sources);
/* NULL when the plan has no such batch. */
const struct plan_batch *plan_find_batch(const struct plan *p, struct str name);

#endif
