/* Protocol: requests, and whether a reply is the right one. Knows bytes and no
 * sockets. */

#ifndef LOAD_PROTOCOL_H
#define LOAD_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records.h"

enum { MAX_TEXT = 1024 }; /* of a request, or of one line of a reply */

struct request {
    char text[MAX_TEXT]; /* as it is sent */
    size_t length;
    char answer[MAX_TEXT]; /* desk: the one line that is right */
    int64_t body;          /* desk: the bytes that follow it */
};

/* What has been received of the reply to a request. Zeroed when its connection
 * begins. */
struct reply {
    const struct request
        *request; /* NULL: the greeting is all that is awaited */
    bool is_greeted;
    bool is_last; /* http: the server will close after this reply */

    bool has_status, is_in_body, is_complete;
    enum outcome verdict; /* on the reply, once it is complete */
    int64_t body_left;
    char line[MAX_TEXT];
    size_t length;
};

/* Prepares a request from what the plan says. Exits if it is no request. */
void protocol_compose(struct request *request, const char *text);

/* Expects the reply to request, on the same connection as before. */
void reply_expect(struct reply *reply, const struct request *request);

/* Takes bytes that were received. Returns OPEN until the reply is complete,
 * then OK, BUSY or WRONG; bytes that are left over make a right reply wrong. */
enum outcome reply_take(struct reply *reply, const char *bytes, size_t length);

/* How many bytes of the body are still to come; 0 outside of one, and -1 if the
 * server will close to end it. */
int64_t reply_body_left(const struct reply *reply);

/* The server has closed. Returns CLOSED, if the reply was not complete; http
 * may have one that ends in this way. */
enum outcome reply_end(const struct reply *reply);

#endif
