/* The media types of files. */

#ifndef HTTP_TYPES_H
#define HTTP_TYPES_H

/* The media type of a file, judged by the end of its name. */
const char *http_type_of(const char *name);

#endif
