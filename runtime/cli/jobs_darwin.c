#include "runtime/cli/jobs.h"

bool jobs_ninja(struct buf *arguments, struct buf *program)
{
    (void)arguments;
    (void)program;
    return false;
}
