/* The hosts that this server answers for. A web page from elsewhere can make
 * its own name lead to an address of this machine (DNS rebinding). The browser
 * of a person here then asks this server, and the page reads the replies. But
 * the browser says in Host which name it was told. */

#ifndef HTTP_HOSTS_H
#define HTTP_HOSTS_H

#include "flags.h"
#include "text.h"

/* The row of a table of flags for --allow-host. */
#define HTTP_ALLOW_HOST_FLAG                                                   \
    {                                                                          \
        "allow-host", "names, with commas between, that this server has too",  \
            .text = &http_allowed_hosts                                        \
    }
extern const char *http_allowed_hosts;

/* Does the client ask for a host that this server answers for? These are the
 * names and addresses of loopback, the address that the client connected to,
 * the one that was given to --host, and those given to --allow-host. host.at is
 * NULL for a client of HTTP/1.0 that names none: no browser does that. */
bool http_host_is_ours(struct text host, int client);

#endif
