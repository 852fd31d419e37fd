/* The authority of a URL, host[:port] (RFC 3986 section 3.2), as the field Host
 * and targets of the form http://host:port/path have it: pure functions. */

#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include <stdbool.h>

#include "text.h"

/* Splits an authority, strictly: a name, an IPv4 address or an IPv6 address in
 * brackets, then perhaps a colon and a port of 0 to 65535, which may be empty.
 * No user information, no empty host (RFC 9110 section 4.2). Points host at the
 * host, with its brackets. Returns false for anything else. */
bool http_authority_read(struct text authority, struct text *host);

/* Is it an address in 127.0.0.0/8 or [::1], or localhost? */
bool http_host_is_loopback(struct text host);

#endif
