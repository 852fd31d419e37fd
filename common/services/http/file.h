/* Files beneath one root directory. Symbolic links are never followed, on no
 * part of the way: so nothing outside the root can be reached, whatever is in
 * it, and whoever changes it meanwhile. */

#ifndef HTTP_FILE_H
#define HTTP_FILE_H

/* Opens the directory whose files are served, for the life of the process.
 * Exits with EXIT_USAGE if that is not possible. */
void http_root_open(const char *directory);

/* Where something lies: an open directory, and a name in it; or "" for that
 * directory itself. The name is a part of the path it was found by. */
struct http_place {
    int directory;
    const char *name;
};

/* Finds the place of a path as http_path_read makes them ("" is the root).
 * Returns 0, or -1 with errno if there is no way to it. path is put back as it
 * was. Leave the place when you are done. */
int http_place_find(struct http_place *place, char *path);
void http_place_leave(const struct http_place *place);

/* Opens for reading what has this name there. Never blocks, not even if it is a
 * FIFO: the caller looks at what it got. Returns a descriptor, which the caller
 * closes, or -1 with errno. */
int http_file_open(int directory, const char *name);

/* The status that tells a client why it cannot have or change a file. */
int http_status_of(int error);

/* The media type of a file, judged by the end of its name. */
const char *http_type_of(const char *name);

#endif
