/* The media types of files. */

#ifndef HTTP_TYPES_H
#define HTTP_TYPES_H

/* The media type of an open file, judged by the end of its name; if that says
 * nothing, by its first bytes: text, or anything. */
const char *http_type_of(const char *name, int file);

#endif
