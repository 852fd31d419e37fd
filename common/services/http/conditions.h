/* Requests with conditions (RFC 9110 section 13): pure functions over what a
 * client holds and what a file is now. */

#ifndef HTTP_CONDITIONS_H
#define HTTP_CONDITIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "request.h"

enum { HTTP_ETAG_SIZE = 64 };

/* What tells one state of a file from another. */
struct http_validators {
    char etag[HTTP_ETAG_SIZE]; /* with its quotes */
    int64_t modified;          /* in seconds since 1970 */
};

/* The validators of a file: its time to the nanosecond, its size, its inode. */
void http_validators_of(struct http_validators *validators,
                        const struct stat *file);

/* Does it have any conditions? */
bool http_is_conditional(const struct http_request *request);

/* Do the request's conditions let it go on? Returns 0, or the status that ends
 * it: 304 for a client that holds this state, 412 otherwise. validators are
 * NULL if there is no such file; is_read is true for GET and HEAD. */
int http_conditions_check(const struct http_request *request,
                          const struct http_validators *validators,
                          bool is_read);

#endif
