/* The head of a request (RFC 9112 sections 2 to 6), read from bytes that have
 * arrived: pure functions, which know of no socket. */

#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

enum { HTTP_MAX_FIELDS = 100 };

/* The fields that mean something to us. None but Connection may come twice. */
enum http_field {
    HTTP_CONNECTION,
    HTTP_CONTENT_LENGTH,
    HTTP_CONTENT_RANGE,
    HTTP_EXPECT,
    HTTP_HOST,
    HTTP_IF_MATCH,
    HTTP_IF_MODIFIED_SINCE,
    HTTP_IF_NONE_MATCH,
    HTTP_IF_RANGE,
    HTTP_IF_UNMODIFIED_SINCE,
    HTTP_RANGE,
    HTTP_TRANSFER_ENCODING,
    HTTP_FIELDS,
};

/* A request. Its texts lie in the bytes that it was read from. */
struct http_request {
    struct text method, target;
    struct text authority; /* of a target that is a whole URL */
    struct text host;      /* without its port; at is NULL if none is named */
    struct text fields[HTTP_FIELDS];
    bool is_http_1_0;
    bool has_crlf; /* its first line ends in it; so must all others */
    bool says_close, says_keep_alive; /* in Connection */
    bool keeps_alive;                 /* the client may send another request */
    bool expects_continue;            /* and wants to be asked for the body */
    bool has_length;                  /* of its body: */
    int64_t content_length;           /* 0 if there is none */
    bool is_chunked; /* then the body says its length as it goes */
};

/* How many of these bytes are the head of a request, with the empty line that
 * ends it; 0 if that has not arrived. */
size_t http_head_length(const char *bytes, size_t size);

/* What is wrong with the whole lines of a head that has begun: 0, or a status
 * as below. So a client that makes a mistake need not end the head to hear of
 * it. */
int http_head_check(const char *bytes, size_t size);

/* Do these bytes begin a HEAD request? No reply to one has a body, not even
 * where the rest of its head cannot be read. */
bool http_head_asks_head(const char *bytes, size_t size);

/* Reads a whole head. Returns 0, or the status that says what is wrong with it:
 * after that the bytes that follow cannot be trusted to be a request, so the
 * connection must be closed. */
int http_request_read(struct http_request *request, const char *head,
                      size_t length);

#endif
