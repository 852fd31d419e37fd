/* A stream: a reply whose length is not known when it begins. */

#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include "exchange.h"

enum { HTTP_PIECE_SIZE = 4096 };

/* The body goes out in pieces, each with its length before it (RFC 9112 section
 * 7.1); to a client of HTTP/1.0 it ends where the connection does. */
struct http_stream {
    struct http_reply *reply;
    bool is_chunked;
    size_t length; /* bytes[0 .. length) are not a chunk yet */
    char bytes[HTTP_PIECE_SIZE];
};

/* Begins the reply with this type. */
void http_stream_begin(struct http_stream *stream,
                       struct http_exchange *exchange, const char *type);

/* Adds text to the body. */
void http_stream_put(struct http_stream *stream, const char *text);

/* Ends the body. */
void http_stream_end(struct http_stream *stream);

/* The body cannot be completed, and the client is made to notice: its
 * connection ends without the end of the body. */
void http_stream_break(struct http_stream *stream);

#endif
