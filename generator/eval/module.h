/* A module as its source describes it: the names that it binds, in order, and what they are bound to.
 *
 * Its statements are followed as the interpreter would, conditions that can be known decide, of the others
 * every branch counts as "maybe". Nothing is evaluated before it is asked for. What the source does not
 * give away (names made at run time, a skip that may happen) is a doubt: it makes ids inexact, never
 * wrong. A world belongs to one thread; everything lives in its arena.
 *
 * struct module *m = world_module(w, path); struct binding *b = scope_get(&m->scope, STR("test_a")); … */
#ifndef FASTEST_GENERATOR_MODULE_H
#define FASTEST_GENERATOR_MODULE_H

#include "generator/config/config.h"
#include "generator/eval/value.h"
#include "generator/files/dirs.h"
#include "generator/source/stmts.h"
#include "runtime/base/map.h"

enum binding_kind {
    BIND_OPAQUE,  /* something that is not followed: a loop's variable, an except's name */
    BIND_VALUE,   /* name = text */
    BIND_DEF,
    BIND_CLASS,
    BIND_MODULE,  /* import text; as name, or its first part */
    BIND_FROM     /* from level-dots text import from_name */
};

struct module;
struct class_info;
struct fixture_list;
struct binding {
    struct str name;
    enum binding_kind kind;
    struct scope *scope;          /* where it is bound */
    uint32_t stmt, decorators;    /* of a DEF or CLASS: its statement, and the first of its decorators */
    struct str text, from_name;
    uint8_t level;
    bool maybe;                   /* it may be bound to something else, or not at all */
    bool rebound, mutated;        /* bound more than once; its object may be changed */
    uint32_t line, grown_line;    /* of a VALUE; of the last .append() or the like to its list */
    bool patched;                 /* an attribute of it is assigned later */
    int8_t test_attr;             /* name.__test__ = True: 1, False: 2, something else: 3 */
    bool deleted;
    uint8_t state;                /* of value: 0 not asked for, 1 being evaluated, 2 there */
    const struct value *value;    /* when it is there: few are ever asked for */
    struct scope *body;           /* of a CLASS, made when asked for, as is: */
    struct class_info *info;
};

struct scope {
    struct module *module;
    struct scope *outer;          /* what is around a class's body, or a function's (hooks.c) */
    struct binding *owner;        /* the class; NULL for a module */
    struct binding **items;       /* in the order of a dict */
    size_t n, cap;
    struct map names;             /* name → index + 1 */
    const char *doubt;            /* NULL, or why names can be missing or different */
    struct fixture_list *fixtures;/* fixtures.h, when asked for */
    uint8_t outcome;              /* of running it: see scope.h */
};

struct module {
    struct str path, name, base;  /* name: dotted, from base, the first directory upward that is no package */
    struct scope scope;
    struct stmt *stmts;
    uint32_t n_stmts;
    struct strs mutated;          /* names that function bodies change */
    bool is_package, ready;
    bool import_fails;            /* an import of it is certainly not found */
    bool may_skip;                /* it may call pytest.skip or importorskip, or raises something */
    bool skipped;                 /* a certain pytest.skip(allow_module_level=True), importorskip, SkipTest */
    struct str skip_reason;
    uint32_t skip_line;
    uint32_t error_line, error_column; /* error_line 0: no syntax error */
    struct str error;
};

/* What a value's ref points to. */
enum object_kind { OBJECT_MODULE, OBJECT_BINDING };
struct object {
    enum object_kind kind;
    struct module *module;
    struct binding *binding;
};

struct world {
    struct arena arena;
    struct dirs dirs;             /* listings: modules are looked for in them */
    const struct config *config;
    const struct strs *roots;     /* directories that come before sys.path: those of tests and conftests */
    const struct strs *owned;     /* what is under test although it is installed */
    /* The packed statements of a file; false when there is no such file. */
    bool (*statements)(void *ctx, struct str path, struct str *packed);
    void *ctx;
    /* What a function outside of the project returns; NULL: nothing is known. */
    void (*external_call)(void *ctx, struct str qualified, const struct value *call, struct value *out);
    void *external_ctx;
    struct map overrides;         /* "sys._flag" → struct value *: what conftests assign to other modules */
    uint32_t line;                /* of the statement that is evaluated, 0: not known */
    bool into_installed;          /* names of installed modules are looked up too: for conditions */
    struct map looked;            /* directories that modules were looked for in */
    struct map modules, found, has; /* by path; by directory and dotted name; top-level modules */
    struct map lacking;           /* by path and name: see imports.c */
    struct buf scratch;           /* a path or key that is looked up */
    struct str searched;          /* the file that was last looked through for a name */
    struct buf searched_text;     /* its text, or the beginning of it */
    bool searched_whole;
    uint32_t depth, evaluations;  /* modules being followed, and values being computed, at the moment */
    struct scope **scopes;        /* of classes, to be released */
    size_t n_scopes, cap_scopes;
};

void world_release(struct world *w);
/* The listing of dir/name. */
struct dir *world_dir(struct world *w, struct str dir, struct str name);
/* a + sep + b in the arena, NUL-terminated. */
struct str world_join(struct world *w, struct str a, const char *sep, struct str b);
/* Reads and follows the file; NULL when it is not there. Known files are not read again. */
struct module *world_module(struct world *w, struct str path);
/* What imports for us, in no directory of the project's: `from` of what is asked by its absolute name. */
extern const struct module world_nowhere;
/* The module of that dotted name as `from` would import it; NULL when it is not found, or not the project's
 * (unless `outside` says that installed ones count too). */
struct module *world_import(struct world *w, const struct module *from, struct str dotted, uint8_t level,
                            bool outside);
/* Where an absolute import from that module leads, without reading it; "" for nowhere. */
struct str world_locate(struct world *w, const struct module *from, struct str dotted);
/* Is a top-level name of an import found at all? 1, 0, or -1. */
int world_has(struct world *w, const struct module *from, struct str dotted);

/* NULL when the name is not bound there. Classes do not see the names of classes around them. */
struct binding *scope_get(const struct scope *s, struct str name);
/* The namespace of a class's body. */
struct scope *world_class_scope(struct world *w, struct binding *class);
/* The value of an expression that stands in this scope. */
struct value scope_eval(struct world *w, struct scope *s, struct str text);
struct value scope_arguments(struct world *w, struct scope *s, struct str text);
struct value binding_value(struct world *w, struct binding *b);
void binding_set(struct world *w, struct binding *b, const struct value *v);
/* Follows imports (and name = other_name) to what is bound in the end, over at most 32 steps; NULL when
 * that is outside of the project and `outside` is not set, or not known. */
struct binding *binding_follow(struct world *w, struct binding *b, bool outside);
/* The class that a value stands for, with installed ones read too; NULL when it is none that is known. */
struct binding *value_class(struct world *w, const struct value *v);

#endif
