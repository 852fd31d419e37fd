/* An attempt: connect, send the request, receive the reply, with a stamp in the
 * record at each step. What follows it is decided by clients.c. */

#ifndef LOAD_ATTEMPT_H
#define LOAD_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "client.h"

/* What epoll is to report while a reply is awaited. */
enum { REPLY_EVENTS = EPOLLIN | EPOLLRDHUP };

/* What a step has come to. */
enum progress {
    UNDER_WAY,   /* the attempt goes on when the socket is ready */
    IN_POSITION, /* hold, slow: the client is where it is to stay */
    REPLIED,     /* the reply is complete, and the record has its outcome */
    ENDED,       /* the attempt is over, and so is the connection */
};

/* Makes a socket for an attempt to come, number i. Returns false on failure,
 * with errno. */
bool attempt_prepare(struct client *c, int64_t i);

/* Begins an attempt, on a new connection or on the one that c has kept. */
enum progress attempt_begin(struct client *c, int64_t intended);

/* Does what the socket is ready for. */
enum progress attempt_continue(struct client *c);

/* slow: sends one more byte of a request that never ends. */
enum progress attempt_dribble(struct client *c);

/* Ends it: nothing more will come of it. */
enum progress attempt_end(struct client *c, enum outcome outcome, int error);

/* Receives and counts what no reply is expected of. Returns 0, or -1 if the
 * connection has ended, with errno (0: the server closed it). */
int attempt_discard(struct client *c);

/* Closes the connection. */
void attempt_close(struct client *c);

#endif
