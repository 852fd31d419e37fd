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

/* Prepares to record visits and returns a socket that listens where the command
 * line said, as tcp_listen does. Exits on failure. */
int service_listen(int backlog);

/* Prints that the server listens and what it serves, then details (of the lab,
 * in the manner of printf). From now on a client is served. Exits if that line
 * cannot be written: nobody would know the port. Says nothing if a stop was
 * asked for already. */
void service_announce(const char *lab, int listener, const char *details, ...)
    __attribute__((format(printf, 3, 4)));

/* Has the conversation with client, who keeps the socket. When the server is
 * stopping, the client is told that it comes too late. */
void service_talk(int client);

/* Tells a client of the accept loop that it cannot be served, and closes it. */
void service_refuse(int client);

#endif
