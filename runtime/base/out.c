#include "runtime/base/out.h"

#include "runtime/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 1 << 16 };

static void out_release(struct out *o)
{
    buf_release(&o->buf);
    buf_release(&o->path);
    buf_release(&o->tmp);
    o->fd = -1;
}

bool out_open(struct out *o, const char *path, struct err *err)
{
    struct buf dir = {0};
    *o = (struct out){.fd = -1};
    buf_str(&dir, path_dir(str_z(path)));
    buf_z(&o->path, path);
    buf_printf(&o->tmp, "%s.%ld.tmp", path, (long)getpid());
    bool ok = dir.n == 0 || io_mkdirs(dir.p, err);
    if (ok)
        o->fd = open(o->tmp.p, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (ok && o->fd < 0)
        ok = err_errno(err, "%s: cannot be written", path);
    if (!ok)
        out_release(o);
    buf_release(&dir);
    return ok;
}

bool out_flush(struct out *o)
{
    if (!o->error && o->buf.n && !io_write_all(o->fd, o->buf.p, o->buf.n))
        o->error = errno ? errno : EIO;
    buf_clear(&o->buf);
    return o->error == 0;
}

void out_str(struct out *o, struct str s)
{
    o->n += s.n;
    if (s.n >= CHUNK) {
        out_flush(o);
        if (!o->error && !io_write_all(o->fd, s.p, s.n))
            o->error = errno ? errno : EIO;
        return;
    }
    buf_str(&o->buf, s);
    if (o->buf.n >= CHUNK)
        out_flush(o);
}

bool out_close(struct out *o, struct err *err)
{
    out_flush(o);
    if (close(o->fd) != 0 && !o->error)
        o->error = errno;
    if (!o->error && rename(o->tmp.p, o->path.p) != 0)
        o->error = errno;
    bool ok = o->error == 0;
    if (!ok) {
        errno = o->error;
        err_errno(err, "%s: cannot be written", o->path.p);
        unlink(o->tmp.p);
    }
    out_release(o);
    return ok;
}

void out_cancel(struct out *o)
{
    if (o->fd < 0)
        return;
    close(o->fd);
    unlink(o->tmp.p);
    out_release(o);
}
