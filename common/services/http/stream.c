/* Streams: chunks, or the end of the connection. */

#include "stream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void http_stream_begin(struct http_stream *stream,
                       struct http_exchange *exchange, const char *type)
{
    bool is_chunked = !exchange->request.is_http_1_0;
    struct http_reply *reply =
        is_chunked ? http_begin(exchange, 200) : http_begin_last(exchange, 200);
    http_reply_field(reply, "Content-Type", type);
    http_reply_field(reply, "Cache-Control", "no-cache");
    if (is_chunked)
        http_reply_field(reply, "Transfer-Encoding", "chunked");
    http_reply_end(reply);
    stream->reply = reply;
    stream->is_chunked = is_chunked;
    stream->length = 0;
}

/* Makes a chunk of the bytes so far. One of no bytes would end the body. */
static void flush(struct http_stream *stream)
{
    char size[sizeof "ffffffff\r\n"];
    struct http_reply *reply = stream->reply;
    if (stream->length > 0 && !reply->is_for_head) {
        snprintf(size, sizeof size, "%x\r\n", (unsigned)stream->length);
        if (stream->is_chunked)
            http_reply_put(reply, size);
        http_reply_put_bytes(reply, stream->bytes, stream->length);
        if (stream->is_chunked)
            http_reply_put(reply, "\r\n");
    }
    stream->length = 0;
}

void http_stream_put(struct http_stream *stream, const char *text)
{
    size_t left = strlen(text);
    while (left > 0) {
        size_t room = sizeof stream->bytes - stream->length;
        size_t size = left < room ? left : room;
        memcpy(stream->bytes + stream->length, text, size);
        stream->length += size;
        text += size;
        left -= size;
        if (stream->length == sizeof stream->bytes)
            flush(stream);
    }
}

void http_stream_end(struct http_stream *stream)
{
    flush(stream);
    if (stream->is_chunked && !stream->reply->is_for_head)
        http_reply_put(stream->reply, "0\r\n\r\n");
}

/* To a client of HTTP/1.0 an ordinary end would look like the end of the body,
 * so its connection is reset. */
void http_stream_break(struct http_stream *stream)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    if (!stream->is_chunked)
        setsockopt(stream->reply->client, SOL_SOCKET, SO_LINGER, &reset,
                   sizeof reset); /* if it fails, the page ends early */
    http_reply_lose(stream->reply, EIO);
}
