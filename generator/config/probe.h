/* What pytest and the interpreter say about this run (probe.py), kept in <state>/probe/.
 *
 * An answer is kept under the arguments, the working directory, the interpreter and the variables
 * that pytest and Python read, and holds while everything that it was read from is as it was (stat
 * first, then content). Only a miss starts Python. Views live in probe.file. */
#ifndef FASTEST_GENERATOR_PROBE_H
#define FASTEST_GENERATOR_PROBE_H

#include "generator/generate.h"
#include "runtime/base/arena.h"
#include "runtime/base/hash.h"
#include "runtime/base/str.h"

struct probe {
    struct str python, version, abi, pytest, root, ini, cutdir, import_mode, options, ini_text,
        selection;
    struct strs args, arg_texts; /* absolute paths; as given */
    struct strs python_files, norecurse, ignore, ignore_glob, pythonpath, doctest_glob;
    struct strs path, third, editable, dists, plugins, conftests, env, data;
    struct strs always;          /* [tool.fastest] always: globs of modules, or directories, relative to rootdir */
    struct strs inputs, input_dirs;
    struct strs known;           /* of an answer that is an error: pytest's options, without dashes */
    struct str noconftest, in_venv, doctest_modules, other; /* "0" or "1" */
    struct str plain;            /* the option for which all tests must run in one process, or "" */
    const char *chosen;          /* the interpreter that was asked, absolute */
    struct hash128 key;          /* of the question */
    struct str answer;           /* what probe.py printed, as it printed it */
    struct buf state_dir;        /* absolute */
    struct buf file;
    struct arena arena;
    bool cached;
};

/* Fills *p and makes sure that the state directory is there. */
bool probe_run(struct probe *p, const struct generate_options *o, enum exit_code *code,
               struct err *err);
void probe_release(struct probe *p);
bool probe_is(struct str flag); /* "1" */

/* The lines that probe.py printed (in p->file); false with err when they are not whole. */
bool probe_read_lines(struct probe *p, enum exit_code *code, struct err *err);

/* probe_cache.c: the answer kept for p->key in this state directory, if it still holds. */
bool probe_cache_load(struct probe *p, struct str state_dir);
bool probe_cache_save(const struct probe *p, struct err *err);

#endif
