/* HTTP/1.1 as a conversation: one exchange after the other. */

#ifndef HTTP_H
#define HTTP_H

#include "exchange.h"
#include "visit.h"

/* Sent to a client that is turned away: a whole reply, which ends where the
 * connection does. */
#define HTTP_BUSY                                                              \
    "HTTP/1.1 503 Service Unavailable\r\n"                                     \
    "Retry-After: 1\r\n"                                                       \
    "Connection: close\r\n"                                                    \
    "Content-Type: text/plain; charset=utf-8\r\n"                              \
    "\r\n"                                                                     \
    "503 Service Unavailable. No clerk is free, please come back later.\n"

/* Talks with a client until one of them is done. Returns how it ended. */
enum outcome http_talk(int client, const struct http_site *site);

#endif
