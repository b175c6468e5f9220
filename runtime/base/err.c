#include "runtime/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void format(struct err *err, const char *why, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* Cuts text to at most max bytes with … at the end, not inside a character. */
static void cut(char *text, size_t max)
{
    static const char more[] = "…";
    if (strlen(text) <= max)
        return;
    size_t n = max - (sizeof more - 1);
    while (n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80)
        n--;
    memcpy(text + n, more, sizeof more);
}

/* Formats beside err->msg, which may itself be an argument; why is kept whole. */
static void format(struct err *err, const char *why, const char *fmt, va_list ap)
{
    char text[sizeof err->msg + 1];
    size_t tail = *why ? strlen(why) + 2 : 0;
    vsnprintf(text, sizeof text, fmt, ap);
    cut(text, sizeof err->msg - 1 - tail);
    size_t n = strlen(text);
    memcpy(err->msg, text, n + 1);
    if (tail)
        snprintf(err->msg + n, sizeof err->msg - n, ": %s", why);
}

bool err_set(struct err *err, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        format(err, "", fmt, ap);
        va_end(ap);
    }
    return false;
}

bool err_errno(struct err *err, const char *fmt, ...)
{
    int saved = errno;
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        format(err, strerror(saved), fmt, ap);
        va_end(ap);
    }
    errno = saved;
    return false;
}
