/* Events: the one place where the generator waits. */

#ifndef LOAD_EVENTS_H
#define LOAD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

enum { EVENTS_AT_ONCE = 64 };

/* From now on SIGINT and SIGTERM are events. Exits on failure. */
void events_open(void);

/* Has events (of epoll(7)) of the socket of c reported. Returns false with
 * errno on failure. */
bool events_watch(struct client *c, uint32_t events);

/* Waits until something happens or the moment due has come. Returns how many
 * clients have a socket that is ready, and which. Sets their has_peer_closed if
 * EPOLLRDHUP is reported. */
int events_wait(struct client *ready[EVENTS_AT_ONCE], int64_t due);

/* The signal that has come, or 0. */
int events_signal(void);

#endif
