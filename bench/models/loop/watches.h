/* The descriptors that a loop waits for, by epoll(7) where that exists, else by
 * poll(2). */

#ifndef WATCHES_H
#define WATCHES_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#if defined __linux__ && !defined WATCH_BY_POLL
#define WATCH_BY_EPOLL
#endif

enum { MAX_READY = 256, MAX_WATCHED = 65536 };

/* Its fields belong to the functions below. */
struct watches {
    int epoll;
    struct pollfd *polled; /* for poll: descriptor n is at n */
    int length;            /* of that: all behind it are not watched */
};

/* Returns false with errno when it cannot be opened. */
bool watches_open(struct watches *watches);
void watches_close(struct watches *watches);

/* Watches fd, which was not watched, for events (of poll(2)). A descriptor that
 * is closed is not watched any more. Returns false with errno on failure. */
bool watches_add(struct watches *watches, int fd, short events);
void watches_remove(struct watches *watches, int fd);

/* Waits until the deadline (now_ns) for the descriptors to be ready. Writes
 * which are, and for what, into ready, and returns how many; perhaps 0. */
int watches_wait(struct watches *watches, struct pollfd ready[MAX_READY],
                 int64_t deadline);

#endif
