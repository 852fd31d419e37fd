/* Visits: one record for each client, from accept until just before its socket
 * is closed. Meanwhile it is found by the socket's number. The summary line and
 * the rows of --trace are made of them. */

#ifndef VISIT_H
#define VISIT_H

#include <stdbool.h>

/* How a visit ended. */
enum outcome { SERVED, REFUSED, TIMED_OUT, LOST };

/* Prepares for as many clients as the process may have descriptors (and raises
 * that limit as far as it is allowed, up to 65,536). path is that of the trace,
 * a file or pipe for one CSV row per client, or NULL. Exits on failure. */
void visits_open(const char *path);

/* A client was accepted; port is its own. It gets the next number. */
void visit_accept(int client, int port);

/* A worker begins to serve the client. Returns the client's number. */
long visit_begin(int client);

/* How many clients were accepted and wait for a worker. */
int visits_waiting(void);

/* The client is in the middle of a request, or idle, when a stop ends the wait
 * for it. Does nothing for a socket that has no visit. */
void visit_in_request(int client, bool is_in_request);

/* The visit is over. */
void visit_end(int client, enum outcome outcome);

/* Prints the summary line of a server that has stopped. Returns the exit
 * status: EXIT_SUCCESS if it was asked to stop, EXIT_FAILURE if it could not go
 * on. */
int visits_report(void);

#endif
