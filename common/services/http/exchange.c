/* One request: its head is read, its method called, a status explained. */

#include "exchange.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "hosts.h"
#include "stop.h"

/* The methods that HTTP has (RFC 9110 section 9, RFC 5789), at this site or
 * elsewhere. */
static const char *const known_methods[] = {"GET",     "HEAD",   "POST",
                                            "PUT",     "DELETE", "CONNECT",
                                            "OPTIONS", "TRACE",  "PATCH"};

/* --- replies ------------------------------------------------------------- */

/* A body that was not read would be taken for the next request. */
static enum http_connection
connection_after(const struct http_exchange *exchange)
{
    bool may_stay = exchange->request.keeps_alive &&
                    exchange->body.is_complete && !stop_requested();
    return may_stay ? HTTP_KEEP_ALIVE : HTTP_CLOSE;
}

struct http_reply *http_begin(struct http_exchange *exchange, int status)
{
    http_reply_begin(&exchange->reply, status, connection_after(exchange));
    return &exchange->reply;
}

struct http_reply *http_begin_last(struct http_exchange *exchange, int status)
{
    http_reply_begin(&exchange->reply, status, HTTP_CLOSE);
    return &exchange->reply;
}

int http_refuse(struct http_exchange *exchange, int status, const char *why)
{
    exchange->why = why;
    return status;
}

/* Adds the field Allow to the reply. */
static void put_allow(struct http_exchange *exchange)
{
    struct http_reply *reply = &exchange->reply;
    const struct http_method *method = exchange->site->methods;
    http_reply_field_begin(reply, "Allow");
    for (; method->name != NULL; method++) {
        http_reply_put(reply, method->name);
        if (method[1].name != NULL)
            http_reply_put(reply, ", ");
    }
    http_reply_field_end(reply);
}

static void explain(struct http_exchange *exchange, int status)
{
    struct http_reply *reply = http_begin(exchange, status);
    if (status == 405)
        put_allow(exchange);
    http_reply_explain(reply, exchange->why);
}

/* --- methods ------------------------------------------------------------- */

int http_options(struct http_exchange *exchange)
{
    struct http_reply *reply = http_begin(exchange, 204);
    put_allow(exchange);
    http_reply_end(reply);
    return 0;
}

static const struct http_method *
find_method(const struct http_exchange *exchange)
{
    const struct http_method *method = exchange->site->methods;
    while (method->name != NULL &&
           !text_equals(exchange->request.method, method->name))
        method++;
    return method->name != NULL ? method : NULL;
}

static int answer_unknown(const struct http_exchange *exchange)
{
    for (size_t i = 0; i < sizeof known_methods / sizeof *known_methods; i++)
        if (text_equals(exchange->request.method, known_methods[i]))
            return 405;
    return 501;
}

/* Whatever the method, a web page from elsewhere must not use it. */
static int call_method(struct http_exchange *exchange)
{
    const struct http_method *method = find_method(exchange);
    if (!http_host_is_ours(exchange->request.host, exchange->in.client))
        return http_refuse(
            exchange, method != NULL && method->changes_files ? 403 : 421,
            "This server is asked under a name that is not its own: "
            "--allow-host=NAME gives it one more.");
    return method != NULL ? method->answer(exchange) : answer_unknown(exchange);
}

/* --- the head ------------------------------------------------------------ */

/* Can these bytes become a request? A browser that was told https: begins with
 * a byte that is no letter, and then waits. */
static bool may_be_request(const struct reader *in)
{
    char first = in->bytes[in->start];
    return isalpha((unsigned char)first) || first == '\r' || first == '\n';
}

/* The status for a head that could not be read, or -1. */
static int status_of_failure(const struct reader *in)
{
    switch (errno) {
    case ETIMEDOUT:
        return 408;
    case EMSGSIZE: /* the head fills the reader without an end */
        return memchr(in->bytes, '\n', in->end) != NULL ? 431 : 414;
    default:
        return -1;
    }
}

/* Waits until the head of the request that has begun is there, and finds its
 * length; but not for the end of a head that has a mistake. Returns as a method
 * does. */
static int wait_for_head(struct reader *in, size_t *length)
{
    size_t fresh = in->end - in->start; /* bytes that were not looked at */
    while ((*length = http_head_length(in->bytes + in->start,
                                       in->end - in->start)) == 0) {
        bool has_line = memchr(in->bytes + in->end - fresh, '\n', fresh);
        int status = !may_be_request(in) ? 400
                     : has_line ? http_head_check(in->bytes + in->start,
                                                  in->end - in->start)
                                : 0;
        if (status != 0)
            return status;
        ssize_t more = reader_fill(in);
        if (more == 0)
            return 400; /* half a request */
        if (more == -1)
            return status_of_failure(in);
        fresh = (size_t)more;
    }
    return 0;
}

/* Reads the head. Returns as a method does. */
static int read_head(struct http_exchange *exchange)
{
    struct reader *in = &exchange->in;
    size_t length;
    int status = wait_for_head(in, &length);
    const char *head = in->bytes + in->start;
    exchange->reply.is_for_head =
        http_head_asks_head(head, in->end - in->start);
    in->start += length;
    return status != 0 ? status
                       : http_request_read(&exchange->request, head, length);
}

/* --- the exchange -------------------------------------------------------- */

static int answer_request(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    int status = read_head(exchange);
    if (status != 0) {
        request->keeps_alive = false; /* where does the next one begin? */
        return status;
    }
    http_body_open(&exchange->body, request);
    return call_method(exchange);
}

enum http_connection http_exchange_serve(struct http_exchange *exchange)
{
    struct http_reply *reply = &exchange->reply;
    exchange->why = NULL;
    int status = answer_request(exchange);
    if (status == -1)
        http_reply_lose(reply, errno);
    else if (status != 0)
        explain(exchange, status);
    http_reply_send(reply);
    return reply->is_lost ? HTTP_CLOSE : reply->connection;
}
