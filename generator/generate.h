/* The scan: source tree → plan, graph.ninja, keys.bin. (Contract with runtime/cli, by the lead.)
 *
 * Calling sequence: struct plan p = {0}; if (generate(&o, &p, &code, &err)) …; plan_release(&p). */
#ifndef FASTEST_GENERATOR_GENERATE_H
#define FASTEST_GENERATOR_GENERATE_H

#include "generator/graph/plan.h"
#include "runtime/base/err.h"

struct nearest;
struct own_config;
/* What --lf and the like leave to run, and in which order. */
struct narrow {
    const char *option;  /* that asks for it: "--lf" */
    struct strs modules; /* absolute paths: these come first, in this order */
    bool alone;          /* no other module is planned */
    bool serial;         /* one worker runs them in this order */
    struct strs only;    /* node ids: of a module that one of them is in, only they run */
    struct strs first;   /* node ids that come first in their module */
};
struct generate_options {
    const char *python;    /* --python or NULL: then $VIRTUAL_ENV/bin/python, else python3 on PATH */
    const char *state_dir; /* --state-dir, absolute, or NULL: <rootdir>/.fastest */
    const char *cwd;       /* invocation directory, absolute */
    const struct own_config *own; /* what was read of it before and still holds, or NULL */
    char **args;           /* pytest's arguments: unknown options and paths, in order, as given */
    int n_args;
    char **own_args;       /* all arguments as given (ours too): what init repeats in the scan edge */
    int n_own_args;
    const struct narrow *narrow; /* or NULL */
    bool yields;           /* where only plain pytest can serve, say so in plan.plain; else that is an error */
    struct plan_options options; /* copied into the plan; python is filled in by the probe */
    const struct str *serial;    /* n_serial globs, see plan.h */
    const struct plan_group *groups;
    uint32_t n_serial, n_groups;
    bool no_cache;         /* every module runs */
    bool restore_mtimes, ignore_lines, ignore_docstrings;
    void (*near_option)(struct nearest *n); /* tries the caller's own option names, without dashes; or NULL */
    const char *fastest;   /* absolute path of the binary, for rules.ninja */
    /* Unless NULL: called when something runs, as soon as keys.bin is there; what Ninja needs is written after it. */
    void (*planned)(void *ctx, const struct plan *plan);
    /* Unless NULL: called before `python` (absolute) is asked for pytest's configuration, for which it imports pytest. */
    void (*asking)(void *ctx, const char *python);
    void *planned_ctx, *asking_ctx;
};

/* The whole scan: probe, walk, parse, resolve, keys, records, batches; removes <state>/stop and
 * <state>/error; writes keys.bin, index.bin, rules.ninja, graph.ninja (only when changed), unlinks
 * stale .ok files and fills *plan. On failure false with err and *code. */
bool generate(const struct generate_options *o, struct plan *plan, enum exit_code *code,
              struct err *err);
/* The lock on the state directory, which the process keeps until its next run, goes now. */
void generate_unlock(void);
struct graph;
/* What a scan found, for the commands that explain it. */
struct look {
    const struct plan *plan;     /* plan->files[i] is graph->nodes[i] */
    const struct graph *graph;
    struct str plain;            /* the option with which only plain pytest can run this, or "" */
    const struct strs *settings; /* files that the configuration was read from, absolute */
};
typedef bool look_fn(void *ctx, const struct look *l, struct err *err);
/* The scan without its effects: nothing of a run is written, removed or locked. look is called with what it found. */
bool generate_look(const struct generate_options *o, look_fn *look, void *ctx, enum exit_code *code, struct err *err);
/* For `fastest init`: rules.ninja, a first graph.ninja and, when there is none, build.ninja in
 * rootdir. An existing build.ninja that is not ours is left alone: false, and err says which lines
 * to add. *root (malloc'ed) is where build.ninja is. */
bool generate_init(const struct generate_options *o, char **root, enum exit_code *code,
                   struct err *err);
/* <state>/build.ninja for `fastest run`: builddir, rules, graph, no scan and no summary by default;
 * the default target `fastest_batches` is the .ok of every batch with a stale module. */
bool generate_top(const struct plan *plan, struct err *err);

#endif
