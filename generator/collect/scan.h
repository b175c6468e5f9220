/* The walk: pytest's arguments to the files that it may collect (modules, text files with doctests).
 *
 * Follows pytest 7 to 9 (src/_pytest/main.py, python.py, doctest.py): a file given as an argument
 * always counts; directories are searched without norecursedirs, virtual environments, --ignore and
 * --ignore-glob. What pytest leaves out besides is planned in vain, which is harmless. */
#ifndef FASTEST_GENERATOR_SCAN_H
#define FASTEST_GENERATOR_SCAN_H

#include "generator/config/probe.h"
#include "generator/files/dirs.h"

/* Appends the absolute paths (in d's arena) to out, sorted, without duplicates. False with err
 * (pytest's own message) when an argument is not there: usage error. */
bool scan_modules(const struct probe *p, struct dirs *d, struct strs *out, struct err *err);

#endif
