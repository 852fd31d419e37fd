/* What a lab does with its service, whichever was chosen. Services know nothing
 * of labs, and labs nothing of them. */

#ifndef SERVICE_H
#define SERVICE_H

#include "flags.h"

/* Reads the command line of a server: the flags that every server has (host,
 * port, trace), the server's own (NULL for none), those of the service; the
 * name of a service (the first in the table if there is none) and its argument.
 * Exits with one clear line on what it cannot use, as flags_parse does. */
void service_choose(int argc, char *argv[], const struct flag *flags);

/* From now on no wait for a client is without a limit. Call it before
 * service_choose: there are flags for the limits then. Lab 4. */
void service_limit_waits(void);

/* Prepares to record visits and returns a socket that listens where the command
 * line said, as tcp_listen does. Exits on failure. */
int service_listen(int backlog);

/* Leaves clients to the kernel until they have sent something, where the client
 * of this service speaks first (tcp_defer_accept). One that the kernel lets in
 * all the same has been silent for the whole idle limit. Lab 4. */
void service_defer_accept(int listener);

/* Prints the line that says where the server listens and what it serves, then
 * details of the lab (a format as of printf). From now on it must serve. Exits
 * if the line cannot be written: scripts read the port from it. Prints nothing
 * if a stop was asked for already. */
void service_announce(const char *lab, int listener, const char *details, ...)
    __attribute__((format(printf, 3, 4)));

/* Runs the service's conversation with client. The socket stays the caller's.
 * When the server is stopping, the client is only told so. */
void service_talk(int client);

/* For the accept loop: tells a client that it is not served, and takes over its
 * socket (refuse_client). */
void service_refuse(int client);

#endif
