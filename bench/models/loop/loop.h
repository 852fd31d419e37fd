/* An event loop under straight code. Each conversation is a coroutine: it has a
 * stack of its own, and when it waits, another one goes on. */

#ifndef LOOP_H
#define LOOP_H

#include <poll.h>

/* Gives turns to coroutines on this thread, first to one that calls run(fd),
 * until none is left. After stop_on_signals. Exits if it cannot begin. */
void loop_run(void (*run)(int), int fd);

/* Starts a coroutine that calls run(client) and ends with it; client is its
 * socket, which run closes. For coroutines: it goes on this thread. Returns 0,
 * or -1 with errno when there is no memory. */
int loop_start(void (*run)(int client), int client);

/* Waits until the coroutines on this loop are fewer than max. Before a stack is
 * made, those that are ready have a turn: a crowd stays with the kernel. */
void loop_await_room(int max);

/* As poll(2), but lets the other coroutines go on meanwhile: for wait_poll. */
int loop_poll(struct pollfd *polled, nfds_t count, int timeout_ms);

#endif
