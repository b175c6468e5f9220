#include "runtime/base/maths.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static double (*pow_)(double, double), (*fmod_)(double, double);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
    void *libm = dlopen("libm.so.6", RTLD_NOW | RTLD_LOCAL), *found;
    if (!libm)
        libm = dlopen(NULL, RTLD_NOW); /* musl and macOS have one library for all */
    if ((found = libm ? dlsym(libm, "pow") : NULL))
        memcpy(&pow_, &found, sizeof found);
    if ((found = libm ? dlsym(libm, "fmod") : NULL))
        memcpy(&fmod_, &found, sizeof found);
}

bool maths_pow(double a, double b, double *result)
{
    pthread_once(&once, load);
    if (pow_)
        *result = pow_(a, b);
    return pow_ != NULL;
}

bool maths_fmod(double a, double b, double *result)
{
    pthread_once(&once, load);
    if (fmod_)
        *result = fmod_(a, b);
    return fmod_ != NULL;
}
