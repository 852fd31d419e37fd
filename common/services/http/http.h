/* HTTP/1.1 as a conversation: request and reply, one after the other. What can
 * be asked for differs from site to site; how one talks does not. */

#ifndef HTTP_H
#define HTTP_H

#include "body.h"
#include "path.h"
#include "reader.h"
#include "reply.h"
#include "request.h"
#include "visit.h"

/* What a client hears who cannot be served: a whole reply, which ends where
 * the connection does. */
#define HTTP_BUSY                                                              \
    "HTTP/1.1 503 Service Unavailable\r\n"                                     \
    "Retry-After: 1\r\n"                                                       \
    "Connection: close\r\n"                                                    \
    "Content-Type: text/plain; charset=utf-8\r\n"                              \
    "\r\n"                                                                     \
    "503 Service Unavailable. No clerk is free, please come back later.\n"

/* All that there is about one client: what it asks and what it is told. */
struct http_exchange {
    const struct http_site *site;
    struct http_request request;
    struct http_body body;
    struct http_reply reply;
    struct reader in;
    char path[HTTP_PATH_SIZE]; /* for the method's use */
};

/* A method answers the request: it returns 0 when it has replied, a status to
 * reply with, or -1 with errno when the client is lost. */
struct http_method {
    const char *name;
    int (*answer)(struct http_exchange *exchange);
};

/* What can be done at a site (the table of methods ends with {0}), and what is
 * below the listing of a directory there. */
struct http_site {
    const struct http_method *methods;
    const char *page_end;
};

/* Talks with a client until one of them is done. Returns how it ended. */
enum outcome http_talk(int client, const struct http_site *site);

/* Begins the reply to a request, and settles whether another may follow. */
void http_begin(struct http_exchange *exchange, int status);

/* Adds the field Allow to the reply. */
void http_allow(struct http_exchange *exchange);

/* The methods that every site has. */
int http_get(struct http_exchange *exchange); /* and HEAD */
int http_options(struct http_exchange *exchange);

#endif
