/* Graceful stop: a signal asks for it, and every wait that a stop should end
 * ends. */

#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/* Sets the function that a stop calls, to wake threads that do not wait for
 * stop_fd. It may run in a signal handler: only what signal-safety(7) allows.
 * Call this before stop_on_signals. */
void stop_calls(void (*function)(void));

/* From now on the first SIGINT, SIGTERM or SIGHUP asks for a stop, and a second
 * one ends the process at once. A stop closes the listening socket immediately,
 * also while the accept loop does something else. Ignores SIGPIPE, so that
 * writing to a client that has gone is an error of that write and not the end
 * of the server. Exits on failure. */
void stop_on_signals(int listener);

/* Asks for a stop because the server cannot go on. */
void stop_after_failure(void);

/* Was a stop asked for? */
bool stop_requested(void);

/* A descriptor to poll together with a socket: readable from the moment a stop
 * was asked for; -1 (which poll ignores) before stop_on_signals. */
int stop_fd(void);

/* The exit status: EXIT_SUCCESS after a signal, else EXIT_FAILURE. */
int stop_status(void);

#endif
