/* Requests for parts of a file (RFC 9110 section 14): pure functions. */

#ifndef HTTP_RANGES_H
#define HTTP_RANGES_H

#include <stdint.h>

#include "conditions.h"
#include "request.h"

enum { HTTP_MAX_RANGES = 16 };

/* A part of a file: length bytes from first. */
struct http_range {
    int64_t first, length;
};

struct http_ranges {
    int count;
    struct http_range all[HTTP_MAX_RANGES];
};

/* Finds the parts that the request asks for, of a file of this size. Returns
 * the status: 206 with the parts, in the order in which they are asked for; 416
 * if there are none of them; 200 with the whole as one part if no parts are
 * asked for, or by HEAD, or in a way that cannot be understood, or more of them
 * than HTTP_MAX_RANGES, or some that overlap. */
int http_ranges_read(struct http_ranges *ranges,
                     const struct http_request *request,
                     const struct http_validators *validators, int64_t size);

#endif
