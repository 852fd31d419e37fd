/* Sockets of clients: all that the kernel must be told, or knows. */

#ifndef LOAD_SOCKETS_H
#define LOAD_SOCKETS_H

#include <stdint.h>

#include "records.h"

/* Makes a socket for the attempt number i, ready to connect and never blocking.
 * Returns -1 on failure, and errno says why. */
int socket_open(int64_t i);

/* Begins to connect to the target. Returns -1 on failure, with errno. */
int socket_connect(int client);

/* How connecting ended: 0, or what went wrong; EINPROGRESS while it has not.
 * Fills in what only the kernel knows: the client's own address and port, and
 * how many SYNs were lost. */
int socket_finish_connect(int client, struct record *record);

/* Fills in the same for a client that gives up. */
void socket_describe(int client, struct record *record);

#endif
