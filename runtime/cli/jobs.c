#include "runtime/cli/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint32_t number(struct str text)
{
    uint32_t n = 0;
    for (size_t i = 0; i < text.n && text.p[i] >= '0' && text.p[i] <= '9' && n < 100000; i++)
        n = n * 10 + (uint32_t)(text.p[i] - '0');
    return n;
}

uint32_t jobs_of_arguments(struct str rest)
{
    struct str arg;
    uint32_t jobs = 0;
    bool next = false;
    while (str_next(&rest, '\0', &arg)) {
        if (next)
            jobs = number(arg);
        else if (str_starts(arg, STR("-j")) && arg.n > 2)
            jobs = number(str_slice(arg, 2, arg.n));
        next = str_eq(arg, STR("-j"));
    }
    return jobs;
}

/* The last word of MAKEFLAGS that tells of a jobserver; make before 4.2 calls it otherwise. */
static struct str auth(struct str flags)
{
    static const char *const names[] = {"--jobserver-auth=", "--jobserver-fds="};
    struct str word, found = {0};
    while (str_next(&flags, ' ', &word))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (str_starts(word, str_z(names[i])))
                found = str_slice(word, strlen(names[i]), word.n);
    return found;
}

static struct str end_of_pipe(struct str fd, struct arena *a)
{
    struct buf b = {0};
    bool shared = fd.n && fd.p[0] >= '0' && fd.p[0] <= '9'; /* make says -2 where it does not share it */
    if (shared)
        buf_printf(&b, "/proc/%ld/fd/%u", (long)getpid(), number(fd));
    else
        buf_char(&b, '-');
    struct str path = {arena_dup(a, b.p ? b.p : "", b.n), b.n};
    buf_release(&b);
    return path;
}

static bool is_client(struct str version)
{
    uint32_t major = number(version), minor = number(str_slice(version, str_chr(version, '.') + 1, version.n));
    return major > 1 || (major == 1 && minor >= 13);
}

/* Ninja 1.13 takes a token of a fifo for each edge, unless -j was given. */
static bool edges_have_tokens(struct str program)
{
    char text[64];
    struct buf command = {0};
    buf_char(&command, '\'');
    buf_str(&command, program);
    buf_z(&command, "' --version");
    FILE *f = memchr(program.p, '\'', program.n) ? NULL : popen(command.p, "r");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    if (f)
        pclose(f);
    buf_release(&command);
    return is_client((struct str){text, n});
}

void jobs_find(struct plan_options *o, bool under_ninja, struct arena *a)
{
    struct buf arguments = {0}, program = {0};
    bool ninja = under_ninja && jobs_ninja(&arguments, &program);
    struct str found = auth(str_z(getenv("MAKEFLAGS"))), fifo = STR("fifo:");
    o->jobs = ninja ? jobs_of_arguments(buf_view(&arguments)) : 0;
    if (str_starts(found, fifo)) {
        o->job_input = o->job_output = (struct str){arena_dup(a, found.p + fifo.n, found.n - fifo.n), found.n - fifo.n};
        o->job_edges = ninja && !o->jobs && edges_have_tokens(buf_view(&program));
    } else if (found.n) {
        size_t comma = str_chr(found, ',');
        o->job_input = end_of_pipe(str_slice(found, 0, comma), a);
        o->job_output = end_of_pipe(str_slice(found, comma + 1, found.n), a);
    }
    buf_release(&arguments);
    buf_release(&program);
}
