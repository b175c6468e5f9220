/* How many workers the build around us allows: Ninja's -j is a limit; of make's jobserver each worker takes a token,
 * but the first, which runs on that of our own recipe, and those for which Ninja's edges have taken one. */
#include "runtime/pool/state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_NS (INT64_C(50) * 1000 * 1000)

static bool is_pipe(int fd)
{
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode);
}

static int open_end(struct str path, int mode)
{
    struct buf b = {0};
    buf_str(&b, path);
    int fd = open(b.n ? b.p : "", mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    buf_release(&b);
    return fd;
}

static void give_back(struct jobs *j)
{
    while (j->n && write(j->output, &j->tokens[j->n - 1], 1) == 1)
        j->n--;
}

void jobs_close(struct pool *p)
{
    struct jobs *j = &p->jobs;
    give_back(j);
    if (j->output >= 0)
        close(j->output);
    if (j->input >= 0)
        close(j->input);
    *j = (struct jobs){.input = -1, .output = -1};
}

/* A pipe is make's own, opened anew so that what we make of it (that it does not block) is not make's, too. */
void jobs_open(struct pool *p)
{
    struct jobs *j = &p->jobs;
    struct str input = p->plan.options.job_input;
    jobs_close(p);
    if (!input.n)
        return;
    bool fifo = str_eq(input, p->plan.options.job_output);
    j->input = open_end(input, fifo ? O_RDWR : O_RDONLY);
    j->output = open_end(p->plan.options.job_output, fifo ? O_RDWR : O_WRONLY);
    j->open = is_pipe(j->input) && is_pipe(j->output);
    if (j->open)
        return;
    jobs_close(p);
    pool_notice(p, "make's jobserver cannot be reached, so that its -j is not obeyed: begin the recipe's line with +");
}

static uint32_t edges(const struct pool *p)
{
    uint32_t n = 0;
    for (const struct peer *peer = p->peers; peer; peer = peer->next)
        n += peer->batch && !peer->batch->ended && !peer->dead;
    return n;
}

/* Workers for which there is something to do. */
static uint32_t useful(const struct pool *p)
{
    uint32_t n = p->sched.alone ? 1 : 0;
    for (const struct worker *w = p->sched.workers; w; w = w->next)
        n += w->queued || w->own.task || w->state == WORKER_STARTING;
    if (!p->sched.alone && p->sched.tasks && sched_has_work(&p->sched))
        n = n < p->wanted ? p->wanted : n;
    return n < p->wanted ? n : p->wanted;
}

/* Takes and returns tokens; how many workers there may be. */
static uint32_t with_tokens(struct pool *p)
{
    struct jobs *j = &p->jobs;
    uint32_t own = p->plan.options.job_edges ? edges(p) : 1, want = useful(p);
    own = own ? own : 1;
    j->retry_ns = 0;
    while (own + j->n < want && j->n < sizeof j->tokens) {
        if (read(j->input, &j->tokens[j->n], 1) != 1) {
            j->retry_ns = p->now_ns + RETRY_NS;
            break;
        }
        j->n++;
    }
    while (j->n && own + j->n > want && write(j->output, &j->tokens[j->n - 1], 1) == 1)
        j->n--;
    return own + j->n;
}

void jobs_step(struct pool *p)
{
    uint32_t limit = p->wanted, jobs = p->plan.options.jobs;
    if (jobs && jobs < limit)
        limit = jobs;
    if (p->jobs.open) {
        uint32_t most = with_tokens(p);
        limit = most < limit ? most : limit;
    }
    p->sched.limit = limit;
}
