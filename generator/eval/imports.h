/* Does an import succeed? What is certain to fail makes the tests of the module that needs it uncertain.
 *
 * Modules of the project are followed, in the interpreter's order. Of installed ones the text is searched for the
 * names that a collected module or a conftest wants; those of the project's other modules are taken to be there. What can be made at run time (__getattr__, sys.modules, globals(), …) counts as
 * found. */
#ifndef FASTEST_GENERATOR_IMPORTS_H
#define FASTEST_GENERATOR_IMPORTS_H

#include "generator/eval/module.h"

/* Is there a module of that dotted name, of which the first part is there? 1, 0, or -1 for what is not known. */
int imports_has_module(struct world *w, const struct module *from, struct str dotted, uint8_t level);
/* Has the module certainly no such name, and no such submodule? */
bool imports_lack_name(struct world *w, const struct module *from, struct str dotted, uint8_t level, struct str name);
/* Does the text of that file have the word? False when it cannot be read. */
bool imports_text_has(struct str path, struct str word);

#endif
