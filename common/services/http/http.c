/* The conversation of HTTP, and the service http. */

#include "http.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "file.h"
#include "refuse.h"
#include "services/services.h"
#include "stop.h"

/* How long a client may go on sending what nobody will read, so that it can
 * read why (RFC 9112 section 9.6). Who was late has less: it holds a worker. */
#define LINGER_NS (1000 * NS_PER_MS)
#define LATE_LINGER_NS (500 * NS_PER_MS)

/* What HTTP knows (RFC 9110 section 9, RFC 5789), whether a site does or not.
 */
static const char *const known_methods[] = {"GET",     "HEAD",   "POST",
                                            "PUT",     "DELETE", "CONNECT",
                                            "OPTIONS", "TRACE",  "PATCH"};

/* --- replies ------------------------------------------------------------- */

/* Behind a body that nobody has read no request can be found. */
void http_begin(struct http_exchange *exchange, int status)
{
    exchange->reply.keeps_alive = exchange->request.keeps_alive &&
                                  exchange->body.is_complete &&
                                  !stop_requested();
    http_reply_begin(&exchange->reply, status);
}

static void explain(struct http_exchange *exchange, int status)
{
    http_begin(exchange, status);
    if (status == 405)
        http_allow(exchange);
    http_reply_explain(&exchange->reply);
}

/* --- methods ------------------------------------------------------------- */

void http_allow(struct http_exchange *exchange)
{
    const struct http_method *method = exchange->site->methods;
    http_reply_field_begin(&exchange->reply, "Allow");
    for (; method->name != NULL; method++) {
        http_reply_put(&exchange->reply, method->name);
        if (method[1].name != NULL)
            http_reply_put(&exchange->reply, ", ");
    }
    http_reply_field_end(&exchange->reply);
}

int http_options(struct http_exchange *exchange)
{
    http_begin(exchange, 204);
    http_allow(exchange);
    http_reply_end(&exchange->reply);
    return 0;
}

static int answer_unknown(struct http_exchange *exchange)
{
    for (size_t i = 0; i < sizeof known_methods / sizeof *known_methods; i++)
        if (http_text_equals(exchange->request.method, known_methods[i]))
            return 405;
    return 501;
}

static int call_method(struct http_exchange *exchange)
{
    const struct http_method *method = exchange->site->methods;
    for (; method->name != NULL; method++)
        if (http_text_equals(exchange->request.method, method->name))
            return method->answer(exchange);
    return answer_unknown(exchange);
}

/* --- one request --------------------------------------------------------- */

/* A whole head is waited for, unless these bytes never become one: a browser
 * that was told https: begins with a byte that is no letter, and then waits. */
static bool may_be_request(const struct reader *in)
{
    char first = in->bytes[in->start];
    return isalpha((unsigned char)first) || first == '\r' || first == '\n';
}

/* The status for a head that fills the reader without an end. */
static int status_of_long_head(const struct reader *in)
{
    bool has_line = memchr(in->bytes, '\n', in->end) != NULL;
    return has_line ? 431 : 414;
}

/* The status for a request that could not be read, or -1. */
static int status_of_failure(const struct reader *in)
{
    switch (errno) {
    case ETIMEDOUT:
        return 408;
    case EMSGSIZE:
        return status_of_long_head(in);
    default:
        return -1;
    }
}

/* Reads the head of the request that has begun. Returns as a method does. */
static int read_head(struct reader *in, struct http_request *request)
{
    size_t length;
    while ((length = http_head_length(in->bytes + in->start,
                                      in->end - in->start)) == 0) {
        if (!may_be_request(in))
            return 400;
        ssize_t more = reader_fill(in);
        if (more == 0)
            return 400; /* half a request */
        if (more == -1)
            return status_of_failure(in);
    }
    const char *head = in->bytes + in->start;
    in->start += length;
    return http_request_read(request, head, length);
}

static int answer_request(struct http_exchange *exchange)
{
    int status = read_head(&exchange->in, &exchange->request);
    if (status != 0) {
        exchange->request.keeps_alive = false;
        return status;
    }
    http_body_open(&exchange->body, &exchange->request);
    exchange->reply.is_for_head =
        http_text_equals(exchange->request.method, "HEAD");
    return call_method(exchange);
}

/* Reads and answers the request that has begun. Returns whether another may
 * follow. */
static bool serve_request(struct http_exchange *exchange)
{
    struct http_reply *reply = &exchange->reply;
    reply->is_for_head = false;
    int status = answer_request(exchange);
    if (status == -1)
        http_reply_lose(reply, errno);
    else if (status != 0)
        explain(exchange, status);
    http_reply_send(reply);
    return reply->keeps_alive && !reply->is_lost;
}

/* --- the conversation ---------------------------------------------------- */

static enum outcome outcome_of(int error)
{
    return error == ETIMEDOUT ? TIMED_OUT : LOST;
}

/* Has the client said all that it wanted to say? */
static bool has_finished(const struct http_exchange *exchange)
{
    return exchange->reply.status < 400 && !exchange->request.keeps_alive &&
           exchange->body.is_complete && exchange->in.start == exchange->in.end;
}

/* Ends after a reply that was to be the last. */
static enum outcome part(struct http_exchange *exchange)
{
    const struct http_reply *reply = &exchange->reply;
    if (reply->is_lost)
        return outcome_of(reply->error);
    if (!has_finished(exchange))
        refuse_last_words(reply->client, "",
                          reply->status == 408 ? LATE_LINGER_NS : LINGER_NS);
    return reply->status == 408 ? TIMED_OUT : SERVED;
}

static enum outcome converse(struct http_exchange *exchange)
{
    int begun;
    while ((begun = reader_begin(&exchange->in)) == 1)
        if (!serve_request(exchange))
            return part(exchange);
    if (begun == -1)
        return outcome_of(errno);
    refuse_last_words(exchange->reply.client, "", 0);
    return SERVED;
}

/* The exchange has 40 KiB, mostly unused, and is not on the stack: the C
 * library gives that back when a thread ends, and the kernel would have to find
 * new pages for each client of lab 2. */
enum outcome http_talk(int client, const struct http_site *site)
{
    struct http_exchange *exchange = malloc(sizeof *exchange);
    if (exchange == NULL) {
        refuse_last_words(client, HTTP_BUSY, LINGER_NS);
        return REFUSED;
    }
    exchange->site = site;
    reader_open(&exchange->in, client);
    http_reply_open(&exchange->reply, client);
    enum outcome outcome = converse(exchange);
    free(exchange);
    return outcome;
}

/* --- the service http ---------------------------------------------------- */

static const struct http_method methods[] = {
    {"GET", http_get},
    {"HEAD", http_get},
    {"OPTIONS", http_options},
    {0},
};

static const struct http_site site = {
    .methods = methods,
    .page_end = "",
};

static enum outcome talk(int client, long number)
{
    (void)number;
    return http_talk(client, &site);
}

const struct service http_service = {
    .name = "http",
    .help = "serves the files under DIR, and /sleep/MS and /burn/MS",
    .argument = "DIR",
    .open = http_root_open,
    .talk = talk,
    .busy = HTTP_BUSY,
};
