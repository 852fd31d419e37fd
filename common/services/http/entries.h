/* The entries of a directory in order, in bounded memory: as many of the next
 * ones as fit are collected by one reading of the directory, then given out;
 * for the others it is read again. */

#ifndef HTTP_ENTRIES_H
#define HTTP_ENTRIES_H

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

enum { ENTRIES_SPACE = 640 * 1024, ENTRIES_ROOM = 16384 };

/* An entry is a string: its kind ('d' for a directory, 'f' for a file), then
 * its name. So directories come first. */
struct entries {
    DIR *stream;
    char last[NAME_MAX + 2];  /* all up to this one were given out */
    char bound[NAME_MAX + 2]; /* all after this one were not collected; or "" */
    size_t count, next;
    char *all[ENTRIES_ROOM];
    size_t used;
    char space[ENTRIES_SPACE];
};

/* Collects the first entries of a directory that was just opened and stays the
 * caller's. Returns 0, or -1 with errno. */
int entries_open(struct entries *entries, DIR *stream);

/* The next entry, valid until the next call; NULL with errno 0 at the end, or
 * with another when the directory cannot be read on. */
const char *entries_next(struct entries *entries);

#endif
