#include "runtime/wire/sock.h"

#include <sys/socket.h>

bool sock_peer(int fd, uid_t *uid, pid_t *pid)
{
    struct ucred cred;
    socklen_t n = sizeof cred;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0 || n != sizeof cred)
        return false;
    *uid = cred.uid;
    *pid = cred.pid;
    return true;
}
