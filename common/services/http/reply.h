/* Replies: a status line, fields, an empty line, a body. They are collected in
 * a buffer, so that a head and a small body leave in one write. */

#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HTTP_REPLY_SIZE = 16384 };

/* What happens to the connection after a reply. */
enum http_connection { HTTP_CLOSE, HTTP_KEEP_ALIVE };

/* Once a client cannot be reached, is_lost stays true and nothing more is sent;
 * error then says why, as errno does. */
struct http_reply {
    int client;
    bool is_for_head; /* of a HEAD request: the reply has no body */
    int status;       /* of the reply that was begun last */
    enum http_connection connection; /* after that reply */
    bool is_lost;
    int error;
    size_t length; /* bytes[0 .. length) are not sent yet */
    char bytes[HTTP_REPLY_SIZE];
};

/* Writes to client, a socket that it borrows. */
void http_reply_open(struct http_reply *reply, int client);

/* Marks the client as one that cannot be reached, for this errno. */
void http_reply_lose(struct http_reply *reply, int error);

/* Begins a reply with its status line and the fields that every reply has. The
 * caller says what happens to the connection after it: nothing is taken
 * over from the reply before. */
void http_reply_begin(struct http_reply *reply, int status,
                      enum http_connection connection);

/* Add a field each: all at once, in pieces, with a date. */
void http_reply_field(struct http_reply *reply, const char *name,
                      const char *value);
void http_reply_field_begin(struct http_reply *reply, const char *name);
void http_reply_field_end(struct http_reply *reply);
void http_reply_date(struct http_reply *reply, const char *name,
                     int64_t seconds);

/* Add to the head or the body: a string, digits, bytes. */
void http_reply_put(struct http_reply *reply, const char *text);
void http_reply_put_number(struct http_reply *reply, int64_t number);
void http_reply_put_bytes(struct http_reply *reply, const char *bytes,
                          size_t size);

/* Adds up to size bytes of a file from offset to the body, and sends it. The
 * head has said how long the body is. */
void http_reply_put_file(struct http_reply *reply, int file, off_t offset,
                         off_t size);

/* End the head: of a reply without a body, or of one that follows and has so
 * many bytes. */
void http_reply_end_head(struct http_reply *reply, int64_t size);

/* End the reply: with no body, with bytes as its body, or with size bytes of a
 * file from offset; the last two say how long it is. */
void http_reply_end(struct http_reply *reply);
void http_reply_end_with(struct http_reply *reply, const char *body,
                         size_t size);
void http_reply_end_with_file(struct http_reply *reply, int file, off_t offset,
                              off_t size);

/* Ends the reply with a body that says why in words, for people; if why is NULL
 * with what its status means. With no body for a status that has none. */
void http_reply_explain(struct http_reply *reply, const char *why);

/* Sends what is not sent yet. */
void http_reply_send(struct http_reply *reply);

#endif
