/* Services: the conversations that a server can have with its clients. They
 * know nothing of labs, and labs nothing of them. */

#ifndef SERVICE_H
#define SERVICE_H

#include "flags.h"
#include "visit.h"

/* One service. Its functions are called from as many threads as the lab has. */
struct service {
    const char *name;
    const char *help;
    const char *argument;     /* what its argument is, as in "DIR"; or NULL */
    const struct flag *flags; /* of its own, ending with {0}; or NULL */

    /* Settles what must be settled before the first client; exits on failure.
     * argument is NULL for a service that has none. NULL: nothing to settle. */
    void (*open)(const char *argument);

    /* Talks with client number until one of them is done. The socket is
     * borrowed: who accepted it closes it. Returns how the visit ended. */
    enum outcome (*talk)(int client, long number);

    const char *busy; /* what a client hears who cannot be served */
};

/* Reads the command line of a server: its flags and those of the service, then
 * the name of a service (or none for the first in the table) and its argument.
 * Exits with one clear line on what it cannot use, as flags_parse does. */
void service_choose(int argc, char *argv[], const struct flag *flags);

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
