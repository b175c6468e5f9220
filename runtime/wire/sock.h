/* Unix sockets in a directory that only this user can enter:
 * ${XDG_RUNTIME_DIR:-/tmp}/fastest-UID/<hash of the state directory>.sock, mode 0700.
 * Every descriptor is close-on-exec. The peer's uid is checked on both sides. */
#ifndef FASTEST_WIRE_SOCK_H
#define FASTEST_WIRE_SOCK_H

#include "runtime/base/buf.h"
#include "runtime/base/err.h"

#include <sys/types.h>

/* Appends the socket's path; makes and checks its directory. */
bool sock_path(struct str state_dir, struct buf *out, struct err *err);
/* Replaces a stale socket (the caller holds the pool's lock). -1 with err. */
int sock_listen(const char *path, struct err *err);
/* A peer of the same user, or -1 with errno. */
int sock_accept(int listener);
/* -1 with errno when nobody listens. */
int sock_connect(const char *path);
/* A connected pair; false with err. */
bool sock_pair(int fds[2], struct err *err);
/* The peer's uid, and its pid where the system tells (else 0). peer_linux.c, peer_darwin.c. */
bool sock_peer(int fd, uid_t *uid, pid_t *pid);

#endif
