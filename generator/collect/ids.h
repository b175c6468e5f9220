/* Ids of parametrized tests: pytest 7.0 to 9.2, src/_pytest/python.py (IdMaker, Metafunc.parametrize)
 * and src/_pytest/mark/structures.py (ParameterSet). */
#ifndef FASTEST_GENERATOR_IDS_H
#define FASTEST_GENERATOR_IDS_H

#include "generator/eval/value.h"

/* What of the configuration changes an id. */
struct ids_config {
    uint32_t pytest;        /* major * 100 + minor: 902 for 9.2 */
    bool no_escape;         /* disable_test_id_escaping_and_forfeit_all_rights_to_community_support */
    struct str long_str;    /* parametrize_long_str_id_strategy, "" for the default */
    bool strict;            /* strict_parametrization_ids: doubles are an error */
    struct str empty_mark;  /* empty_parameter_set_mark: "skip" (also ""), "xfail", "fail_at_collect" */
};

struct ids_set {
    struct str id;             /* one part: what stands between the dashes; any bytes but NUL */
    bool hidden;               /* pytest.HIDDEN_PARAM: no part at all */
    struct value *marks;       /* VALUE_MARK or VALUE_UNKNOWN */
    uint32_t n_marks;
    struct value *values;      /* n_names of them, as pytest gives them to the test */
};
struct ids_list {
    struct str *names;         /* argnames */
    uint32_t n_names;
    struct ids_set *sets;      /* one for each test; one set with id NOTSET for an empty list */
    uint32_t n_sets;
    bool indirect_all;         /* indirect=True */
    struct str *indirect;      /* names in indirect=[…] */
    uint32_t n_indirect;
};

/* The sets of one parametrize(argnames, argvalues, …) call: call holds its arguments. False when it
 * cannot be known (or is an error of collection). Everything lives in a. */
bool ids_parametrize(const struct ids_config *c, const struct value *call, struct arena *a,
                     struct ids_list *out);
/* The same for a fixture's params= and ids=: names is the fixture's name alone. ids may be NULL. */
bool ids_fixture(const struct ids_config *c, struct str name, const struct value *params,
                 const struct value *ids, struct arena *a, struct ids_list *out);
/* zip, map, a generator: it gives its items once. */
bool ids_is_iterator(const struct value *v);

#endif
