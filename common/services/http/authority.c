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
static bool copy(char *string, size_t size, struct text text)
{
    if (text.length >= size)
        return false;
    memcpy(string, text.at, text.length);
    string[text.length] = '\0';
    return strlen(string) == text.length;
}

/* An IPv6 address in brackets. Zones and addresses of the future ("v1.") are
 * refused: no server has such a name. */
static bool read_ipv6(struct text host, struct in6_addr *address)
{
    char string[INET6_ADDRSTRLEN];
    if (host.length < strlen("[]") || *host.at != '[' ||
        host.at[host.length - 1] != ']')
        return false;
    struct text inner = text_skip(host, 1);
    inner.length--; /* the bracket at the end */
    return copy(string, sizeof string, inner) &&
           inet_pton(AF_INET6, string, address) == 1;
}

/* The characters of a name, of which an IPv4 address is one. */
static bool is_name(struct text host)
{
    for (size_t i = 0; i < host.length; i++) {
        char c = host.at[i];
        if (c == '%') {
            if (host.length - i < strlen("%XX") ||
                text_hex_digit(host.at[i + 1]) < 0 ||
                text_hex_digit(host.at[i + 2]) < 0)
                return false;
            i += 2;
        } else if (!isalnum((unsigned char)c) &&
                   (c == '\0' || strchr("-._~!$&'()*+,;=", c) == NULL)) {
            return false;
        }
    }
    return host.length > 0;
}

/* Behind the host: nothing, or a colon and perhaps a number. */
static bool is_port(struct text authority, size_t begin)
{
    int64_t number;
    struct text port = text_skip(authority, begin);
    if (port.length == 0)
        return true;
    return text_take_word(&port, ":") &&
           (port.length == 0 ||
            (text_number(port, &number) && number <= MAX_PORT));
}

/* Where the host ends: behind its bracket, or at the colon. */
static size_t host_length(struct text authority)
{
    char end = authority.length > 0 && *authority.at == '[' ? ']' : ':';
    const char *found = authority.length > 0
                            ? memchr(authority.at, end, authority.length)
                            : NULL;
    size_t length =
        found != NULL ? (size_t)(found - authority.at) : authority.length;
    return length + (found != NULL && end == ']');
}

bool http_authority_read(struct text authority, struct text *host)
{
    struct in6_addr address;
    host->at = authority.at;
    host->length = host_length(authority);
    return (is_name(*host) || read_ipv6(*host, &address)) &&
           is_port(authority, host->length);
}

bool http_host_is_loopback(struct text host)
{
    char string[INET_ADDRSTRLEN];
    struct in_addr ipv4;
    struct in6_addr ipv6;
    if (read_ipv6(host, &ipv6))
        return IN6_IS_ADDR_LOOPBACK(&ipv6);
    if (copy(string, sizeof string, host) &&
        inet_pton(AF_INET, string, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
    return text_is(host, "localhost");
}
