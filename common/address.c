/* Addresses of TCP: from text to sockets and back. */

#include "address.h"

#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct addrinfo *address_resolve(const char *host, int port)
{
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses;
    char service[sizeof "65535"], inner[ADDRESS_LENGTH];
    snprintf(service, sizeof service, "%d", port);
    /* In brackets, as in a URL, stands an address of IPv6. */
    const char *name = host;
    if (sscanf(host, "[%63[^]]]", inner) == 1 && strchr(inner, ':') != NULL)
        name = inner;
    int failure = getaddrinfo(name, service, &wanted, &addresses);
    if (failure != 0)
        errx(EXIT_FAILURE, "cannot resolve %s: %s", host,
             failure == EAI_SYSTEM ? strerror(errno) : gai_strerror(failure));
    return addresses;
}

int address_port(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
    /* NOLINTNEXTLINE: the caller has filled it */
    return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

bool address_is_loopback(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) == -1)
        return false;
    if (address.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address;
        return ntohl(ipv4->sin_addr.s_addr) >> IN_CLASSA_NSHIFT ==
               IN_LOOPBACKNET;
    }
    const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address;
    return address.ss_family == AF_INET6 &&
           (IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr) ||
            (IN6_IS_ADDR_V4MAPPED(&ipv6->sin6_addr) &&
             ipv6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET));
}

void address_of_socket(int fd, char text[ADDRESS_LENGTH])
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char host[ADDRESS_LENGTH - sizeof "[]:65535"] = "?";
    char port[sizeof "65535"] = "?";
    getsockname(fd, (struct sockaddr *)&address, &length);
    getnameinfo((struct sockaddr *)&address, length, host, sizeof host, port,
                sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(text, ADDRESS_LENGTH,
             address.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
}
