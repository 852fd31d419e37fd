/* The conversation of HTTP, and the service http. */

#include "http.h"

#include <errno.h>
#include <stddef.h>

#include "clock.h"
#include "get.h"
#include "hosts.h"
#include "lend.h"
#include "location.h"
#include "refuse.h"
#include "services/services.h"
#include "services/work.h"
#include "wait.h"

/* How long a client may go on sending bytes that nobody will read, so that it
 * can read why (RFC 9112 section 9.6). A client that was late has less: it
 * holds a worker. */
#define LINGER_NS (1000 * NS_PER_MS)
#define LATE_LINGER_NS (500 * NS_PER_MS)

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

/* Ends after a reply that was the last. */
static enum outcome end(const struct http_exchange *exchange)
{
    const struct http_reply *reply = &exchange->reply;
    bool is_late = reply->status == 408;
    if (reply->is_lost)
        return outcome_of(reply->error);
    if (!has_finished(exchange))
        refuse_last_words(reply->client, "",
                          is_late ? LATE_LINGER_NS : LINGER_NS);
    return is_late ? TIMED_OUT : SERVED;
}

/* Serves requests until the end, and returns true; or, if a wait lets others go
 * on, until the client has none for now. */
static bool serve(struct http_exchange *exchange, enum outcome *outcome)
{
    int begun;
    reader_open(&exchange->in, exchange->reply.client);
    while ((begun = reader_begin(&exchange->in)) == 1) {
        if (http_exchange_serve(exchange) == HTTP_CLOSE) {
            *outcome = end(exchange);
            return true;
        }
        if (wait_gives_way && exchange->in.start == exchange->in.end)
            return false;
    }
    *outcome = begun == -1 ? outcome_of(errno) : SERVED;
    if (begun == 0)
        refuse_last_words(exchange->reply.client, "", 0);
    return true;
}

/* The exchange has 40 KiB, mostly unused, and is not on the stack: the C
 * library gives that back when a thread ends, and the kernel would have to find
 * new pages for each client of lab 2. Where a client that waits is to cost
 * little, it has an exchange only while it has a request. */
enum outcome http_talk(int client, const struct http_site *site)
{
    static struct lender exchanges = {.size = sizeof(struct http_exchange)};
    enum outcome outcome;
    bool is_over = false;
    while (!is_over) {
        if (wait_gives_way && reader_await(client) == -1)
            return outcome_of(errno);
        struct http_exchange *exchange = lend(&exchanges);
        if (exchange == NULL) {
            refuse_last_words(client, HTTP_BUSY, LINGER_NS);
            return REFUSED;
        }
        exchange->site = site;
        http_reply_open(&exchange->reply, client);
        is_over = serve(exchange, &outcome);
        lend_return(&exchanges, exchange);
    }
    return outcome;
}

/* --- the service http ---------------------------------------------------- */

static const struct http_method methods[] = {
    {"GET", http_get, false},
    {"HEAD", http_get, false},
    {"OPTIONS", http_options, false},
    {0},
};

static const struct flag flags[] = {HTTP_ALLOW_HOST_FLAG, WORK_FLAG, {0}};

static const struct http_site site = {
    .methods = methods,
    .page_top = "",
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
    .flags = flags,
    .open = http_root_open,
    .talk = talk,
    .more_descriptors = 2, /* a directory and a file */
    .client_speaks_first = true,
    .busy = HTTP_BUSY,
};
