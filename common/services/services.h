/* What a service is, and the table of them, one per file or folder. */

#ifndef SERVICES_H
#define SERVICES_H

#include <stdbool.h>

#include "flags.h"
#include "visit.h"

/* One service. Its functions are called from as many threads as the lab has. */
struct service {
    const char *name;
    const char *help;
    const char *argument;     /* what its argument is, as in "DIR"; or NULL */
    const struct flag *flags; /* of its own, ending with {0}; or NULL */

    /* Prepares what is needed before the first client; exits on failure.
     * argument is NULL if the service has none. NULL: nothing to prepare. */
    void (*open)(const char *argument);

    /* Talks with client number until one of them is done. The socket is
     * borrowed: the lab that accepted it closes it. Returns how the visit
     * ended. */
    enum outcome (*talk)(int client, long number);

    bool client_speaks_first; /* it sends a request, and is not greeted */
    const char *busy;         /* sent to a client that is turned away */
    int more_descriptors;     /* that a client needs, beside its socket */
};

/* The value of --host: the address that the server listens on, or its name. */
const char *service_host(void);

extern const struct service echo_service;
extern const struct service desk_service;
extern const struct service chat_service;
extern const struct service http_service;
extern const struct service files_service;

#endif
