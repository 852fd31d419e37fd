/* The path is walked one directory at a time. Linux's openat2(2) could do that
 * in one call, but only Linux has it, and most files lie directly in the root,
 * where both take one call. */

#ifdef __linux__
/* NOLINTNEXTLINE: the name is the C library's */
#define _GNU_SOURCE /* for O_PATH */
#endif

#include "location.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "flags.h"

/* To open a directory only to pass through it needs no right to read it. */
#if defined O_PATH
#define O_PASS O_PATH
#elif defined O_SEARCH
#define O_PASS O_SEARCH
#else
#define O_PASS O_RDONLY
#endif

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
                  O_PASS | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

void http_location_close(const struct http_location *location)
{
    if (location->directory != root)
        close(location->directory);
}

/* Goes from the location into the directory that it names. */
static int enter(struct http_location *location)
{
    int inner = open_directory(location->directory, location->name);
    int reason = errno;
    http_location_close(location);
    location->directory = inner;
    errno = reason;
    return inner == -1 ? -1 : 0;
}

int http_location_find(struct http_location *location, char *path)
{
    *location = (struct http_location){.directory = root, .name = path};
    char *slash;
    while ((slash = strchr(location->name, '/')) != NULL) {
        *slash = '\0';
        int result = enter(location);
        *slash = '/';
        if (result == -1)
            return -1;
        location->name = slash + 1;
    }
    return 0;
}

int http_file_open(int directory, const char *name)
{
    return openat(directory, name,
                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}
