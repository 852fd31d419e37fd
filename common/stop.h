/* How a server ends: a signal asks, every wait that should end on it ends. */

#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

/* Sets the function that a stop calls, to wake what does not wait for stop_fd.
 * It may run in a signal handler: only what signal-safety(7) allows. Call this
 * before stop_on_signals. */
void stop_calls(void (*function)(void));

/* From now on the first SIGINT, SIGTERM or SIGHUP asks for a stop, and a second
 * one ends the process at once. A stop closes the listening socket there and
 * then, even while the accept loop is busy elsewhere. Also ignores SIGPIPE, so
 * that a client that went away is the failure of one write, not the end of the
 * server. Exits on failure. */
void stop_on_signals(int listener);

/* Asks for a stop without a signal, because the server cannot go on. */
void stop_after_failure(void);

/* Was a stop asked for? */
bool stop_requested(void);

/* A descriptor that is readable from the moment a stop was asked for, to poll
 * beside a socket; -1 (which poll ignores) before stop_on_signals. */
int stop_fd(void);

/* The exit status: EXIT_SUCCESS after a signal, else EXIT_FAILURE. */
int stop_status(void);

#endif
