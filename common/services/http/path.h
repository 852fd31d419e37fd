/* From the target of a request to the name of a file beneath the root: pure
 * functions, which stop every "../.." in any disguise. */

#ifndef HTTP_PATH_H
#define HTTP_PATH_H

#include "text.h"

/* Room for the path of any target, with a slash and a NUL at its end. */
enum { HTTP_MAX_TARGET = 8000, HTTP_PATH_SIZE = HTTP_MAX_TARGET + 2 };

#define HTTP_SCHEME "http://" /* of a target that is a whole URL */

/* Makes the path of a target (RFC 9112 section 3.2: /path?query, or that after
 * http://host). It is relative, decoded once, and has neither empty components
 * nor "." nor ".."; if it is empty or ends with a slash, a directory is meant.
 * Returns 0, or the status that says what is wrong: 400 for what can be no
 * path, 403 for a name that is not served. */
int http_path_read(struct text target, char path[HTTP_PATH_SIZE]);

/* What is wrong with the name of a file or directory: 0, or a status as above.
 * Names that begin with a dot are not served: they are settings, or uploads
 * that are not complete. */
int http_name_check(const char *name);

/* How one character of a path is written in a URL: as itself, or, if it could
 * have a meaning there, as %XX. Returns that as a string, stored in code. */
const char *http_path_encode(char c, char code[sizeof "%XX"]);

#endif
