/* Sockets of clients: all that the kernel must be told, or knows. */

/* musl has struct tcp_info only then. NOLINTNEXTLINE */
#define _GNU_SOURCE

#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addresses.h"
#include "plan.h"

enum { SMALL_BUFFER = 4096 }; /* so that the server's send() blocks soon */

static bool set_option(int client, int level, int name, int value)
{
    return setsockopt(client, level, name, &value, sizeof value) == 0;
}

/* Gives the socket one of our addresses but no port: connect() then takes any
 * that is free towards this server, so each address has all of them (ip(7)). */
static bool bind_source(int client, int64_t i)
{
    uint32_t address = INADDR_LOOPBACK + (uint32_t)(i % plan.sources);
    struct sockaddr_in source = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(address)};
    return set_option(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1) &&
           bind(client, (struct sockaddr *)&source, sizeof source) == 0;
}

/* A request leaves in one piece when nothing is under way, so only a client
 * that sends single bytes needs TCP_NODELAY. */
static bool prepare_socket(int client, int64_t i)
{
    return (plan.behaviour != DRIBBLES ||
            set_option(client, IPPROTO_TCP, TCP_NODELAY, 1)) &&
           (plan.behaviour != NOT_READING ||
            set_option(client, SOL_SOCKET, SO_RCVBUF, SMALL_BUFFER)) &&
           (plan.sources == 1 || bind_source(client, i));
}

int socket_open(int64_t i)
{
    int client = socket(addresses_target()->any.sa_family,
                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client == -1 || prepare_socket(client, i))
        return client;
    int error = errno;
    close(client);
    errno = error;
    return -1;
}

int socket_connect(int client)
{
    const struct address *target = addresses_target();
    int result = connect(client, &target->any, target->size);
    return result == -1 && errno == EINPROGRESS ? 0 : result;
}

/* Returns the state of the connection, as TCP_INFO has it. */
static int describe(int client, struct record *record)
{
    struct address own = {.size = sizeof own};
    struct tcp_info info = {0};
    socklen_t info_size = sizeof info;

    if (getsockname(client, &own.any, &own.size) == 0) {
        record->source = addresses_to_v6(&own);
        record->port = ntohs(own.v4.sin_port); /* of IPv6 at the same offset */
    }
    if (getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0)
        record->syn_retransmits = info.tcpi_total_retrans;
    return info.tcpi_state;
}

void socket_describe(int client, struct record *record)
{
    describe(client, record);
}

/* Nobody listens there, but the kernel chose that very port for our own end: a
 * client has connected to itself, and keeps a server from starting again. */
static bool is_connected_to_itself(const struct record *record)
{
    struct in6_addr target = addresses_to_v6(addresses_target());
    return record->port == plan.port &&
           memcmp(&record->source, &target, sizeof target) == 0;
}

int socket_finish_connect(int client, struct record *record)
{
    int error = 0;
    socklen_t size = sizeof error;
    int state = describe(client, record);
    if (state == TCP_SYN_SENT)
        return EINPROGRESS;
    if (state == TCP_ESTABLISHED)
        return is_connected_to_itself(record) ? ECONNREFUSED : 0;
    if (getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
        return errno;
    return error;
}
