/* The facts of one Python file: imports, what makes them uncertain, and how many tests.
 *
 * The only user of tree-sitter. A file with syntax errors gives what could be parsed: pytest is the
 * judge of it. Safe for input of any nesting depth (no recursion).
 *
 * struct parser *p = parser_new(); parser_run(p, text, &facts, &out); … parser_free(p). */
#ifndef FASTEST_GENERATOR_PARSE_H
#define FASTEST_GENERATOR_PARSE_H

#include "runtime/base/buf.h"
#include "runtime/base/pack.h"
#include "runtime/base/str.h"

enum fact_flag {
    FACT_DYNAMIC = 1,    /* computes names of modules: depends on its whole package */
    FACT_SPAWN = 2,      /* can start processes */
    FACT_SYS_PATH = 4,   /* changes sys.path: unresolved names may be in any directory */
    FACT_COLLECTS = 8,   /* defines pytest_collect_file or pytest_collect_directory */
    FACT_HOOKS = 16,     /* defines a hook that acts on the whole session */
    FACT_RESOURCES = 32, /* names packages by words: importlib.resources */
    FACT_COMPILES = 128, /* functions may run without their code: compiled, copied or read as data */
    FACT_SKIPS = 64      /* has a mark or call that may skip: what skips.h looks at */
};

enum import_kind {
    IMPORT_NAME = 1,  /* import module */
    IMPORT_FROM = 2,  /* from module import name; name is "*" or "" when there is none */
    IMPORT_STRING = 3,/* a dotted string: its longest prefix that is a module */
    IMPORT_WORD = 4,  /* a word where words name packages: -m word, resources.files("word") */
    IMPORT_ALL = 5    /* a name in __all__: a submodule, when the file is an __init__ */
};

struct import {
    uint8_t kind, level; /* level: leading dots */
    struct str module, name;
};

/* Imports are kept packed; the text lives as long as the caller's buffer. */
struct facts {
    uint32_t flags, n_tests;
    struct str imports; /* packed */
};

struct parser;
struct parser *parser_new(void);
void parser_free(struct parser *p);
/* Parse whole files instead of skeletons: the slow way with the same answers, for tests. */
void parser_whole(struct parser *p, bool whole);
/* Appends the packed imports to out and fills facts except imports (out may move). */
void parser_run(struct parser *p, struct str text, struct facts *facts, struct buf *out);

/* "0.25.2 (ABI 15), grammar of Python 0.25.0" */
const char *parser_version(void);

/* Iterates over facts->imports: u starts with {imports.p, imports.n, false}. False at the end. */
bool facts_next(struct unpack *u, struct import *im);

#endif
