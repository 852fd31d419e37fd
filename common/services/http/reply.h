/* Replies: a status line, fields, an empty line, a body. They gather in a
 * buffer, so that a head and a small body leave in one write. */

#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { HTTP_REPLY_SIZE = 16384 };

/* Once a client cannot be reached, is_lost stays true and nothing more is sent;
 * error then says why, as errno does. */
struct http_reply {
    int client;
    int status;       /* of the reply that was begun last */
    bool is_for_head; /* the client wants to know, not to have: no body */
    bool keeps_alive; /* another request may follow; settle it before begin */
    bool is_lost;
    int error;
    size_t length; /* bytes[0 .. length) wait to be sent */
    char bytes[HTTP_REPLY_SIZE];
};

/* Writes to client, a socket that it borrows. */
void http_reply_open(struct http_reply *reply, int client);

/* The client cannot be told: why, as errno says. */
void http_reply_lose(struct http_reply *reply, int error);

/* Begins a reply with its status line and the fields that every reply has. */
void http_reply_begin(struct http_reply *reply, int status);

/* Add a field each: all at once, in pieces, with a number, with a date. */
void http_reply_field(struct http_reply *reply, const char *name,
                      const char *value);
void http_reply_field_begin(struct http_reply *reply, const char *name);
void http_reply_field_end(struct http_reply *reply);
void http_reply_number(struct http_reply *reply, const char *name,
                       int64_t number);
void http_reply_date(struct http_reply *reply, const char *name,
                     int64_t seconds);

/* Add to what is being said: a string, digits, bytes. */
void http_reply_put(struct http_reply *reply, const char *text);
void http_reply_put_number(struct http_reply *reply, int64_t number);
void http_reply_put_bytes(struct http_reply *reply, const char *bytes,
                          size_t size);

/* End the reply: with no body, with bytes as its body, or with size bytes of a
 * file from offset; the last two say how long it is. */
void http_reply_end(struct http_reply *reply);
void http_reply_end_with(struct http_reply *reply, const char *body,
                         size_t size);
void http_reply_end_with_file(struct http_reply *reply, int file, off_t offset,
                              off_t size);

/* Ends the reply with what its status means as the body, in words, for people;
 * with none for a status that has no body. */
void http_reply_explain(struct http_reply *reply);

/* Sends what waits. */
void http_reply_send(struct http_reply *reply);

#endif
