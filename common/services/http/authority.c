/* Authorities. */

#include "authority.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_PORT = 65535 };

/* Copies text as a string, for the functions that need one. Returns false if it
 * is too long. */
static bool copy(char *string, size_t size, struct http_text text)
{
    if (text.length >= size)
        return false;
    memcpy(string, text.at, text.length);
    string[text.length] = '\0';
    return strlen(string) == text.length;
}

/* An IPv6 address in brackets. Zones and addresses of the future ("v1.") are
 * refused: no server has such a name. */
static bool read_ipv6(struct http_text host, struct in6_addr *address)
{
    char string[INET6_ADDRSTRLEN];
    if (host.length < strlen("[]") || *host.at != '[' ||
        host.at[host.length - 1] != ']')
        return false;
    struct http_text inner = http_text_skip(host, 1);
    inner.length--; /* the bracket at the end */
    return copy(string, sizeof string, inner) &&
           inet_pton(AF_INET6, string, address) == 1;
}

/* The characters of a name, of which an IPv4 address is one. */
static bool is_name(struct http_text host)
{
    for (size_t i = 0; i < host.length; i++) {
        char c = host.at[i];
        if (c == '%') {
            if (host.length - i < strlen("%XX") ||
                http_hex_digit(host.at[i + 1]) < 0 ||
                http_hex_digit(host.at[i + 2]) < 0)
                return false;
            i += 2;
        } else if (!isalnum((unsigned char)c) &&
                   (c == '\0' || strchr("-._~!$&'()*+,;=", c) == NULL)) {
            return false;
        }
    }
    return host.length > 0;
}

static bool is_port(struct http_text port)
{
    int64_t number;
    return port.length == 0 ||
           (http_text_number(port, &number) && number <= MAX_PORT);
}

/* Where the host ends: behind its bracket, or at the colon. */
static size_t host_length(struct http_text authority)
{
    char end = authority.length > 0 && *authority.at == '[' ? ']' : ':';
    const char *found = authority.length > 0
                            ? memchr(authority.at, end, authority.length)
                            : NULL;
    size_t length =
        found != NULL ? (size_t)(found - authority.at) : authority.length;
    return length + (found != NULL && end == ']');
}

bool http_authority_read(struct http_text authority, struct http_text *host)
{
    struct in6_addr address;
    size_t length = host_length(authority);
    struct http_text port = http_text_skip(authority, length);
    *host = (struct http_text){authority.at, length};
    if (port.length > 0 && *port.at != ':')
        return false;
    return (is_name(*host) || read_ipv6(*host, &address)) &&
           (port.length == 0 || is_port(http_text_skip(port, 1)));
}

bool http_host_is_loopback(struct http_text host)
{
    char string[INET_ADDRSTRLEN];
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (read_ipv6(host, &ipv6))
        return IN6_IS_ADDR_LOOPBACK(&ipv6);
    if (copy(string, sizeof string, host) &&
        inet_pton(AF_INET, string, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
    return http_text_is(host, "localhost");
}
