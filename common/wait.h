/* The one way to wait for a socket, and the limits of lab 4. */

#ifndef WAIT_H
#define WAIT_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

/* How long a worker waits for a client, in nanoseconds; 0 means for ever. Set
 * before the first client. */
struct wait_limits {
    int64_t idle_ns;    /* for a request to begin */
    int64_t first_ns;   /* for the first of a connection; 0: as idle_ns */
    int64_t request_ns; /* for a request to be complete, from its first byte */
    int64_t write_ns;   /* for a reader that stands still */
    int64_t min_rate;   /* bytes per second, of an upload and of a reader */
    int64_t min_patience_ns; /* what is left of these in a crowd (patience.h) */
};
extern struct wait_limits wait_limits;

/* What the thread does while it waits: poll(2), unless a model puts a function
 * with the same contract here. wait_gives_way tells whether that function lets
 * others go on meanwhile, on this thread. Set before the first wait. */
extern int (*wait_poll)(struct pollfd *polled, nfds_t count, int timeout_ms);
extern bool wait_gives_way;

/* Why a wait ended. */
enum wake { READY, LATE, STOPPED, NOTIFIED };

/* Returns READY when fd is ready for events (of poll(2)) or has failed, LATE
 * when the deadline (now_ns) has passed, STOPPED when a stop was asked for and
 * ends_on_stop. An fd of -1 is never ready: a pause. */
enum wake wait_for(int fd, short events, int64_t deadline, bool ends_on_stop);

/* Waits as wait_for does, and returns NOTIFIED as soon as pipe, the reading end
 * of one, is readable: other threads can end the wait. */
enum wake wait_or_notified(int fd, short events, int pipe, int64_t deadline,
                           bool ends_on_stop);

#endif
