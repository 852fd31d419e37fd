/* Talk: what a client says, and whether the answer is right. Knows bytes and no
 * sockets. */

#ifndef LOAD_TALK_H
#define LOAD_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "records.h"

enum { MAX_TEXT = 1024 }; /* of a request, or of one line of an answer */

struct request {
    char text[MAX_TEXT]; /* as it is sent */
    size_t length;
    char answer[MAX_TEXT]; /* desk: the one line that is right */
    int64_t body;          /* desk: the bytes that follow it */
};

/* One end of a conversation. Zeroed when its connection begins. */
struct talk {
    const struct request *request; /* NULL: to be greeted is enough */
    bool is_greeted;
    bool is_last; /* http: the server will close after this answer */

    bool has_status, is_in_body, is_complete;
    enum outcome verdict; /* on the answer, once it is complete */
    int64_t body_left;
    char line[MAX_TEXT];
    size_t length;
};

/* Prepares a request from what the plan says. Exits if it is no request. */
void talk_compose(struct request *request, const char *text);

/* Expects the answer to request, on the same connection as before. */
void talk_expect(struct talk *talk, const struct request *request);

/* Hears bytes. Returns OPEN until the answer is complete, then OK, BUSY or
 * WRONG; bytes that are left over make a right answer wrong. */
enum outcome talk_hear(struct talk *talk, const char *bytes, size_t length);

/* How many bytes of the body are still to come; 0 outside of one, and -1 if the
 * server will close to end it. */
int64_t talk_body_left(const struct talk *talk);

/* Hears that the server has closed. Returns CLOSED, if the answer was not
 * complete; http may have an answer that ends in this way. */
enum outcome talk_end(const struct talk *talk);

#endif
