/* The body of a request, which ends where its head says (RFC 9112 sections 6
 * and 7). It is passed on in pieces as it arrives, never held as a whole. */

#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reader.h"
#include "request.h"

struct http_body {
    bool is_chunked;
    bool is_awaited; /* the client sends it only when asked to continue */
    bool is_complete;
    bool has_chunk; /* a chunk was begun: a line end follows it */
    int64_t left;   /* of the body; of this chunk, if it is chunked */
};

/* Expects the body of this request. */
void http_body_open(struct http_body *body, const struct http_request *request);

/* Takes the next bytes of the body, waiting for them; asks for them first if
 * the client waits for that. They overwrite the head: from now on the texts of
 * the request must not be used. Points bytes at them (until the next call) and
 * returns how many; 0 at the end; -1 with errno: ETIMEDOUT, EBADMSG for a body
 * that is cut off or is none, else that of recv(2) or send(2). */
ssize_t http_body_read(struct http_body *body, struct reader *in,
                       const char **bytes);

/* Reads the line before a chunk, without its CRLF: the chunk's size in hex
 * digits, then perhaps extensions, which nobody uses, but which have a grammar
 * (RFC 9112 section 7.1). Returns whether it is one. A pure function. */
bool http_chunk_size(struct text line, int64_t *size);

#endif
