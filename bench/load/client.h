/* Clients: what the generator knows of each, and the states they go through. */

#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"
#include "records.h"

enum state {
    IDLE,        /* prepared for an attempt, or free for another */
    ASKING,      /* its attempt is under way */
    OVERDUE,     /* hold: the deadline has passed, but it stays connected */
    STAYING,     /* hold, slow: it is where it is to stay */
    DRIBBLING,   /* slow: the same, with one more byte to send from time to
                    time */
    THINKING,    /* between an answer and the next request */
    BACKING_OFF, /* between a failure and the next request */
    CLOSING,     /* it has sent its last, and waits for the server to close */
    STATE_COUNT,
};

struct client {
    int socket;            /* -1: none */
    uint32_t watched;      /* the events that epoll reports; 0: not in epoll */
    struct record *record; /* of its latest attempt */
    struct reply reply;    /* to that attempt */
    size_t sent;           /* bytes of the request */
    int requests;          /* on this connection */
    bool has_peer_closed;  /* and all that the server sent was received */
    bool has_settled;      /* hold, slow: it has been counted */

    enum state state; /* set by state_enter() only, as are: */
    struct client *before, *after;
    int64_t due;
};

#endif
