/* TCP connections for servers and clients: listen, accept, connect. */

#ifndef TCP_H
#define TCP_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

/* Returns a socket that listens on host and port (0: any free one); "*" is
 * every address of this machine, IPv6 and IPv4, and "localhost" is both for the
 * programs of this machine only; where the system has no way to do that on one
 * socket, it is 127.0.0.1. backlog is how many connections the kernel completes
 * while nobody accepts (listen(2)). From now on signals stop the server, and a
 * stop closes the socket at once, so that newcomers are refused. Exits with one
 * clear line on failure. */
int tcp_listen(const char *host, int port, int backlog);

/* Returns one more socket that listens at the address of the first: the kernel
 * chooses one of them for each connection (SO_REUSEPORT in socket(7)). A stop
 * closes the first only. Exits on failure. */
int tcp_listen_beside(int first, int backlog);

/* The backlog that the kernel grants: it caps what is asked for, silently, at
 * net.core.somaxconn (listen(2)). */
int tcp_granted_backlog(int backlog);

/* How many connections wait in the kernel to be accepted; 0 where it does not
 * say (tcpi_unacked in tcp_info of a listener: Linux). */
int tcp_waiting(int listener);

/* Leaves clients to the kernel until they have sent something, or for limit_ns
 * (TCP_DEFER_ACCEPT in tcp(7): Linux; elsewhere nothing changes). Only where
 * the client speaks first: one that waits for a greeting would wait long.
 * Returns whether it is so. */
bool tcp_defer_accept(int listener, int64_t limit_ns);

/* Waits for the next client and returns its socket, which the caller closes; or
 * -1 when the server is to stop. The failure of one client, and a shortage of
 * descriptors or memory, are outlived: it tries again. */
int tcp_accept(int listener);

/* Connects to the first address in the list that answers, until the deadline.
 * Returns the socket, or -1 with errno. The caller closes it. */
int tcp_connect(const struct addrinfo *addresses, int64_t deadline);

/* Says in words why a connection failed with this errno, and where to look. */
const char *tcp_reason(int error);

#endif
