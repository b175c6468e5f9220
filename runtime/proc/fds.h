/* Closes every descriptor from `first` on; async-signal-safe. fds_linux.c, fds_darwin.c. */
#ifndef FASTEST_PROC_FDS_H
#define FASTEST_PROC_FDS_H

void fds_close_from(int first);

#endif
