/* What is used of the C library's mathematics. libm is not linked: mapping it is 3 % of a discovery of 200 tests,
 * and of the functions that need it, pow and fmod, only a float expression in a test's parameters has a use. They are
 * loaded then, from the libm that CPython has its own from. */
#ifndef FASTEST_BASE_MATHS_H
#define FASTEST_BASE_MATHS_H

#include <stdbool.h>
#include <stdint.h>

/* pow(a, b) and fmod(a, b); false when there is no libm to load. */
bool maths_pow(double a, double b, double *result);
bool maths_fmod(double a, double b, double *result);

/* floor(x). */
static inline double maths_floor(double x)
{
    if (!(x > -0x1p52 && x < 0x1p52)) /* has no fraction, or is no number */
        return x;
    double whole = (double)(int64_t)x;
    return whole > x ? whole - 1 : whole == 0 && x <= 0 && 1 / x < 0 ? x : whole;
}

/* x to the nearest integer, halves to the even one (of |x| up to 2**51: beyond, what is after the point is dropped).
 * 0 for what is no int64_t. */
static inline int64_t maths_nearest(double x)
{
    if (!(x > -0x1p63 && x < 0x1p63))
        return 0;
    return (int64_t)(x > -0x1p51 && x < 0x1p51 ? x + 0x1.8p52 - 0x1.8p52 : x);
}

#endif
