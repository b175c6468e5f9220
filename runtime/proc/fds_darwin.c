#include "runtime/proc/fds.h"

#include <unistd.h>

void fds_close_from(int first)
{
    int max = getdtablesize();
    for (int fd = first; fd < (max < 65536 ? max : 65536); fd++)
        close(fd);
}
