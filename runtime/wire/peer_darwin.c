#include "runtime/wire/sock.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

bool sock_peer(int fd, uid_t *uid, pid_t *pid)
{
    gid_t gid;
    socklen_t n = sizeof *pid;
    if (getpeereid(fd, uid, &gid) != 0)
        return false;
    if (getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, pid, &n) != 0)
        *pid = 0;
    return true;
}
