/* An exchange: one request and the reply to it. What can be asked for differs
 * from site to site; how a request is read and answered does not. */

#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "body.h"
#include "path.h"
#include "reader.h"
#include "reply.h"
#include "request.h"

/* A client's present request and reply. */
struct http_exchange {
    const struct http_site *site;
    struct http_request request;
    struct http_body body;
    struct http_reply reply;
    struct reader in;
    const char *why; /* in words, for the status that is returned; or NULL */
    char path[HTTP_PATH_SIZE]; /* for the method's use */
};

/* A method answers the request: it returns 0 when it has replied, a status to
 * reply with, or -1 with errno when the client is lost. */
struct http_method {
    const char *name;
    int (*answer)(struct http_exchange *exchange);
    bool changes_files;
};

/* What can be done at a site (the table of methods ends with {0}), and the HTML
 * above the listing of a directory there. */
struct http_site {
    const struct http_method *methods;
    const char *page_top;
};

/* Reads and answers the request that has begun. Returns what the client was
 * told about its connection; HTTP_CLOSE if it could not be told. */
enum http_connection http_exchange_serve(struct http_exchange *exchange);

/* Returns the status, for a method to return, and sets why: a sentence that
 * takes the place of what the status means in general. */
int http_refuse(struct http_exchange *exchange, int status, const char *why);

/* Begins the reply. The connection stays open if the client wants that, if its
 * request was read to the end and if the server is not stopping. */
struct http_reply *http_begin(struct http_exchange *exchange, int status);

/* Begins a reply that is the last on its connection, which ends its body: the
 * reply does not say how long it is. */
struct http_reply *http_begin_last(struct http_exchange *exchange, int status);

/* The method OPTIONS, which every site has. */
int http_options(struct http_exchange *exchange);

#endif
