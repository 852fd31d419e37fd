/* Addresses of TCP: from text to sockets and back. */

#ifndef ADDRESS_H
#define ADDRESS_H

#include <netdb.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { ADDRESS_LENGTH = 64 }; /* room for "[IPv6 address%interface]:port" */

/* Looks up a numeric address, also one in brackets, or a name. Exits with one
 * clear line on failure. The caller frees the list with freeaddrinfo. */
struct addrinfo *address_resolve(const char *host, int port);

/* The port of an address of either family. */
int address_port(const struct sockaddr_storage *address);

/* Is the socket's own address one that only this machine can reach? */
bool address_is_loopback(int fd);

/* Writes the socket's own address into text, as in 127.0.0.1:9000. */
void address_of_socket(int fd, char text[ADDRESS_LENGTH]);

#endif
