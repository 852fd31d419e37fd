/* Addresses: the server's, our own, and whether we have enough for the plan. */

#ifndef LOAD_ADDRESSES_H
#define LOAD_ADDRESSES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

/* An address of either family, and how long it is. */
struct address {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    };
    socklen_t size;
};

/* Looks up the server, and settles how many addresses of our own are used.
 * Exits with one clear line on failure. */
void addresses_find(void);

/* The server's. */
const struct address *addresses_target(void);

/* An IPv6 address that stands for this one; of IPv4 it is the mapped one (RFC
 * 4291, section 2.5.5.2). */
struct in6_addr addresses_to_v6(const struct address *address);

/* Says on standard error when the limits of this system are too small for what
 * the plan asks for. descriptors is how many may be open. */
void addresses_check(int descriptors);

#endif
