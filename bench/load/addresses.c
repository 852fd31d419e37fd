/* Addresses: where the server is, and from where we call it. A client is known
 * to the kernel by its own address and port, so few ports mean few clients, and
 * more addresses of our own are a cure: all of 127.0.0.0/8 is ours. */

#include "addresses.h"

#include <arpa/inet.h>
#include <err.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "flags.h"
#include "plan.h"
#include "quota.h"
#include "tcp.h"

enum {
    CONNECTIONS_PER_SOURCE = 10000, /* of 28,232 ports: the kernel finds a free
                                       one quickly while most are free */
    UNKNOWN_SOURCES = 4,  /* closed: as many connections as the server takes */
    TIME_WAIT_S = 60,     /* how long a port rests after its connection */
    OWN_DESCRIPTORS = 10, /* of ours that are no client's */
};

static struct address target;

static struct address copy_address(const struct addrinfo *found)
{
    struct address copy = {.size = found->ai_addrlen};
    memcpy(&copy.any, found->ai_addr, found->ai_addrlen);
    return copy;
}

/* Does a server listen there? It sees a client that comes and goes. */
static bool answers(const struct addrinfo *address)
{
    struct addrinfo alone = *address;
    alone.ai_next = NULL;
    int client = tcp_connect(&alone, NEVER);
    if (client != -1)
        close(client);
    return client != -1;
}

/* Of the addresses of one name, such as the two of localhost, the first that
 * answers; if none does, the first. */
static const struct addrinfo *choose(const struct addrinfo *found)
{
    if (found->ai_next == NULL)
        return found;
    const struct addrinfo *address = found;
    while (address != NULL && !answers(address))
        address = address->ai_next;
    return address != NULL ? address : found;
}

static bool has_many_sources(void)
{
    return target.any.sa_family == AF_INET &&
           ntohl(target.v4.sin_addr.s_addr) >> IN_CLASSA_NSHIFT ==
               IN_LOOPBACKNET;
}

/* How many connections may use up a port at one time. */
static int64_t count_connections(void)
{
    int64_t duration_s = plan.duration_ns / NS_PER_S;
    int64_t resting_s = duration_s < TIME_WAIT_S ? duration_s : TIME_WAIT_S;
    return plan.mode->is_counted ? plan.clients : plan.rate * resting_s;
}

static int choose_sources(void)
{
    int64_t enough = 1 + count_connections() / CONNECTIONS_PER_SOURCE;
    if (plan.mode->repeats && plan.requests != 0)
        enough += UNKNOWN_SOURCES - 1;
    return enough < MAX_SOURCES ? (int)enough : MAX_SOURCES;
}

void addresses_find(void)
{
    struct addrinfo *found = address_resolve(plan.host, plan.port);
    target = copy_address(choose(found));
    freeaddrinfo(found);
    if (plan.sources > 1 && !has_many_sources())
        errx(EXIT_USAGE, "--sources=%d: only towards 127.0.0.0/8",
             plan.sources);
    if (plan.sources == 0)
        plan.sources = has_many_sources() ? choose_sources() : 1;
}

const struct address *addresses_target(void)
{
    return &target;
}

struct in6_addr addresses_to_v6(const struct address *address)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};
    struct in6_addr mapped = {0};
    if (address->any.sa_family == AF_INET6)
        return address->v6.sin6_addr;
    memcpy(mapped.s6_addr, prefix, sizeof prefix);
    memcpy(mapped.s6_addr + sizeof prefix, &address->v4.sin_addr,
           sizeof address->v4.sin_addr);
    return mapped;
}

void addresses_check(int descriptors)
{
    int64_t ports = quota_allowed(PORTS); /* from each of our addresses */
    int64_t needed = plan.clients + OWN_DESCRIPTORS;
    if (plan.mode->is_counted && needed > descriptors)
        warnx("%d clients need %" PRId64 " descriptors, but only %d may be "
              "open: some will end as client-fault (more: ulimit -Hn)",
              plan.clients, needed, descriptors);
    if ((count_connections() - 1) / plan.sources >= ports)
        warnx("%" PRId64
              " connections need as many ports, but there are %" PRId64
              ": some may end as client-fault (more: --sources, or sysctl "
              "net.ipv4.ip_local_port_range)",
              count_connections(), ports * plan.sources);
}
