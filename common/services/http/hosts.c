/* Hosts. */

#include "hosts.h"

#include <stddef.h>
#include <string.h>

#include "address.h"
#include "authority.h"
#include "services/services.h"

const char *http_allowed_hosts = "";

static bool is_listed(struct http_text host, struct http_text list)
{
    while (list.at != NULL) {
        struct http_text name = http_text_trim(http_text_take(&list, ','));
        if (http_text_is_same(host, name))
            return true;
    }
    return false;
}

/* Is it the address of this end of the connection? To a server of both families
 * an IPv4 address looks like [::ffff:192.0.2.1]. */
static bool is_own_address(struct http_text host, int client)
{
    static const char mapped[] = "[::ffff:";
    char address[ADDRESS_LENGTH];
    struct http_text own;
    address_of_socket(client, address);
    if (!http_authority_read(http_text(address), &own))
        return false;
    if (http_text_begins(own, mapped) && host.length > 0 && *host.at != '[') {
        own = http_text_skip(own, strlen(mapped));
        own.length--; /* the bracket */
    }
    return http_text_is_same(host, own);
}

/* --host is given without brackets. */
static bool is_given_host(struct http_text host)
{
    if (host.length > 2 && *host.at == '[') {
        host = http_text_skip(host, 1);
        host.length--;
    }
    return http_text_is(host, service_host());
}

bool http_host_is_ours(struct http_text host, int client)
{
    return host.at == NULL || http_host_is_loopback(host) ||
           is_given_host(host) ||
           is_listed(host, http_text(http_allowed_hosts)) ||
           is_own_address(host, client);
}
