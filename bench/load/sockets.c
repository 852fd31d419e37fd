/* Sockets of clients: Linux's own calls are welcome here. */

#include "sockets.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plan.h"

enum { DEAF_BUFFER = 4096 }; /* so that the server must wait for us soon */

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

static bool prepare_socket(int client, int64_t i)
{
    return set_option(client, IPPROTO_TCP, TCP_NODELAY, 1) &&
           (plan.manner != DEAF ||
            set_option(client, SOL_SOCKET, SO_RCVBUF, DEAF_BUFFER)) &&
           (plan.sources == 1 || bind_source(client, i));
}

int socket_open(int64_t i)
{
    int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client == -1 || prepare_socket(client, i))
        return client;
    int error = errno;
    close(client);
    errno = error;
    return -1;
}

int socket_connect(int client)
{
    int result =
        connect(client, (struct sockaddr *)&plan.target, sizeof plan.target);
    return result == -1 && errno == EINPROGRESS ? 0 : result;
}

void socket_describe(int client, struct record *record)
{
    struct sockaddr_in own = {0};
    socklen_t own_size = sizeof own;
    struct tcp_info info = {0};
    socklen_t info_size = sizeof info;

    if (getsockname(client, (struct sockaddr *)&own, &own_size) == 0) {
        record->source = own.sin_addr.s_addr;
        record->port = ntohs(own.sin_port);
    }
    if (getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &info_size) == 0)
        record->syn_retransmits = info.tcpi_total_retrans;
}

/* Nobody listens there, but the kernel chose that very port for our own end: a
 * client has reached itself, and keeps a server from coming back. */
static bool has_reached_itself(const struct record *record)
{
    return record->port == plan.port &&
           record->source == plan.target.sin_addr.s_addr;
}

int socket_finish_connect(int client, struct record *record)
{
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &size) == -1)
        return errno;
    socket_describe(client, record);
    return error == 0 && has_reached_itself(record) ? ECONNREFUSED : error;
}
