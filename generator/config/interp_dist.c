#include "generator/config/interp.h"
#include "generator/config/interp_layout.h"

#include "runtime/base/io.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

enum { MAX_ENTRY_POINTS_BYTES = 1 << 20 };

/* Entry points are INI without its finesses (importlib.metadata reads them line by line). */
static void read_points(struct str text, struct strs *plugins, struct arena *a)
{
    struct str rest = text, line;
    bool inside = false;
    while (str_next(&rest, '\n', &line)) {
        line = str_trim(line);
        if (!line.n || line.p[0] == '#' || line.p[0] == ';')
            continue;
        if (line.p[0] == '[') {
            inside = str_eq(line, STR("[pytest11]"));
            continue;
        }
        size_t eq = str_chr(line, '=');
        struct str name = str_trim(str_slice(line, 0, eq)), value = str_trim(str_slice(line, eq + 1, line.n));
        value = str_trim(str_slice(value, 0, str_chr(value, '['))); /* extras */
        if (inside && eq < line.n && name.n && value.n)
            strs_add(plugins, interp_format(a, "%.*s=%.*s", (int)name.n, name.p, (int)value.n, value.p));
    }
}

static void read_file(int dir, const char *dist, struct buf *b, struct strs *plugins, struct arena *a)
{
    struct buf name = {0};
    buf_printf(&name, "%s/entry_points.txt", dist);
    int fd = openat(dir, name.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    buf_release(&name);
    if (fd < 0)
        return;
    buf_clear(b);
    buf_reserve(b, 4096);
    ssize_t n = 1;
    while (n > 0 && b->n < MAX_ENTRY_POINTS_BYTES) {
        buf_reserve(b, 4096);
        n = io_read_full(fd, b->p + b->n, 4096);
        b->n += n > 0 ? (size_t)n : 0;
        n = n == 4096;
    }
    b->p[b->n] = '\0';
    close(fd);
    if (str_contains(buf_view(b), STR("pytest11")))
        read_points(buf_view(b), plugins, a);
}

/* pytest-9.2.0.dist-info, pytest-9.2.0-py3.11.egg-info */
static void note_pytest(struct str name, struct str *pytest, struct arena *a)
{
    if (pytest->n || !str_starts(name, STR("pytest-")))
        return;
    struct str version = str_slice(name, 7, name.n - (str_ends(name, STR(".dist-info")) ? 10 : 9));
    version = str_slice(version, 0, str_chr(version, '-'));
    if (version.n && version.p[0] >= '0' && version.p[0] <= '9')
        *pytest = (struct str){arena_dup(a, version.p, version.n), version.n};
}

/* Not io_listdir: nobody needs the thousands of other names, nor their order. */
void interp_dist_read(struct str path, struct strs *plugins, struct str *pytest, struct arena *a)
{
    struct buf text = {0}, z = {0};
    buf_str(&z, path);
    DIR *d = z.n ? opendir(z.p) : NULL;
    buf_release(&z);
    for (struct dirent *e; d && (e = readdir(d));) {
        struct str name = str_z(e->d_name);
        if (!str_ends(name, STR(".dist-info")) && !str_ends(name, STR(".egg-info")))
            continue;
        note_pytest(name, pytest, a);
        read_file(dirfd(d), e->d_name, &text, plugins, a);
    }
    if (d)
        closedir(d);
    buf_release(&text);
}
