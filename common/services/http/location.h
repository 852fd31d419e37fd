/* Files beneath one root directory. A symbolic link is never followed, at no
 * step of the path: so nothing outside the root can be reached, whatever is in
 * it and whoever changes it meanwhile. */

#ifndef HTTP_LOCATION_H
#define HTTP_LOCATION_H

/* Opens the directory whose files are served, for the life of the process.
 * Exits with EXIT_USAGE if that is not possible. */
void http_root_open(const char *directory);

/* Where a file is or could be: an open directory and a name in it; the name is
 * "" for that directory itself. It is a part of the path it was found by. */
struct http_location {
    int directory;
    const char *name;
};

/* Finds the location of a path that http_path_read made ("" is the root).
 * Returns 0, or -1 with errno if one of its directories cannot be opened. path
 * is put back as it was. Give the location back with http_location_close. */
int http_location_find(struct http_location *location, char *path);
void http_location_close(const struct http_location *location);

/* Opens for reading what has this name in the directory. Never blocks, not even
 * on a FIFO: the caller looks at what it got. Returns a descriptor, which the
 * caller closes, or -1 with errno. */
int http_file_open(int directory, const char *name);

#endif
