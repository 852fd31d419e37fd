/* Files beneath the root, which is walked to one directory at a time. Linux's
 * openat2(2) could do that in one call, but only Linux has it, and most files
 * lie at the root, where both take one call. */

#include "file.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "flags.h"

static int root = -1;

void http_root_open(const char *directory)
{
    root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root == -1 || faccessat(root, ".", R_OK | X_OK, 0) == -1)
        err(EXIT_USAGE, "cannot serve the directory %s", directory);
}

static int open_directory(int directory, const char *name)
{
    return openat(directory, name,
                  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void http_place_leave(const struct http_place *place)
{
    if (place->directory != root)
        close(place->directory);
}

/* Goes from the place into the directory that it names. */
static int enter(struct http_place *place)
{
    int inner = open_directory(place->directory, place->name);
    int reason = errno;
    http_place_leave(place);
    place->directory = inner;
    errno = reason;
    return inner == -1 ? -1 : 0;
}

int http_place_find(struct http_place *place, char *path)
{
    *place = (struct http_place){.directory = root, .name = path};
    char *slash;
    while ((slash = strchr(place->name, '/')) != NULL) {
        *slash = '\0';
        int result = enter(place);
        *slash = '/';
        if (result == -1)
            return -1;
        place->name = slash + 1;
    }
    return 0;
}

int http_file_open(int directory, const char *name)
{
    return openat(directory, name,
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int http_status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: /* also a symbolic link where a directory should be */
    case ELOOP:   /* a symbolic link where a file should be */
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENXIO: /* a socket, or a device that is not there */
        return 403;
    case EISDIR:
        return 409;
    case EEXIST:
        return 412;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    default:
        return 500;
    }
}

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".htm", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/markdown; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".c", "text/plain; charset=utf-8"},
    {".h", "text/plain; charset=utf-8"},
    {".py", "text/plain; charset=utf-8"},
    {".xml", "text/xml; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".avif", "image/avif"},
    {".ico", "image/x-icon"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".wav", "audio/wav"},
    {".mp4", "video/mp4"},
    {".webm", "video/webm"},
    {".woff", "font/woff"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".pdf", "application/pdf"},
    {".zip", "application/zip"},
    {".gz", "application/gzip"},
};

const char *http_type_of(const char *name)
{
    const char *ending = strrchr(name, '.');
    for (size_t i = 0; ending != NULL && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(ending, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}
