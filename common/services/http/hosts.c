/* Hosts. */

#include "hosts.h"

#include <stddef.h>
#include <string.h>

#include "address.h"
#include "authority.h"
#include "services/services.h"

const char *http_allowed_hosts = "";

static bool is_listed(struct text host, struct text list)
{
    while (list.at != NULL) {
        struct text name = text_trim(text_take(&list, ','));
        if (text_is_same(host, name))
            return true;
    }
    return false;
}

/* Is it the address of this end of the connection? To a server of both families
 * an IPv4 address looks like [::ffff:192.0.2.1]. */
static bool is_own_address(struct text host, int client)
{
    static const char mapped[] = "[::ffff:";
    char address[ADDRESS_LENGTH];
    struct text own;
    address_of_socket(client, address);
    if (!http_authority_read(text_of(address), &own))
        return false;
    if (host.length > 0 && *host.at != '[' && text_take_word(&own, mapped))
        own.length--; /* the bracket */
    return text_is_same(host, own);
}

/* --host is given without brackets. */
static bool is_given_host(struct text host)
{
    if (host.length > 2 && *host.at == '[') {
        host = text_skip(host, 1);
        host.length--;
    }
    return text_is(host, service_host());
}

bool http_host_is_ours(struct text host, int client)
{
    return host.at == NULL || http_host_is_loopback(host) ||
           is_given_host(host) ||
           is_listed(host, text_of(http_allowed_hosts)) ||
           is_own_address(host, client);
}
