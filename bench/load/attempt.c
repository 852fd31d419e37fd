/* An attempt: one step after the other, each when the socket is ready. */

#include "attempt.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "events.h"
#include "plan.h"
#include "schedule.h"
#include "sockets.h"

enum { RECEIVED_AT_ONCE = 1 << 18 };

static char received[RECEIVED_AT_ONCE];

void attempt_close(struct client *c)
{
    if (c->socket != -1)
        close(c->socket);
    c->socket = -1;
    c->watched = 0;
    c->requests = 0;
    c->has_peer_closed = false;
    c->reply = (struct reply){0};
}

bool attempt_prepare(struct client *c, int64_t i)
{
    c->socket = socket_open(i);
    if (c->socket == -1)
        return false;
    if (events_watch(c, EPOLLOUT))
        return true;
    int error = errno;
    attempt_close(c);
    errno = error;
    return false;
}

enum progress attempt_end(struct client *c, enum outcome outcome, int error)
{
    struct record *record = c->record;
    if (record->phase == CONNECT && c->socket != -1)
        socket_describe(c->socket, record);
    record->outcome = (uint8_t)outcome;
    record->error = error;
    return ENDED;
}

static enum progress fail(struct client *c, int error)
{
    return attempt_end(c, records_outcome_of(error), error);
}

static enum progress await(struct client *c, uint32_t events)
{
    return events_watch(c, events) ? UNDER_WAY : fail(c, errno);
}

static enum progress complete(struct client *c, enum outcome outcome)
{
    c->record->done = now_ns();
    c->record->phase = DONE;
    c->record->outcome = (uint8_t)outcome;
    return REPLIED;
}

/* ---- Sending ---- */

static enum progress send_request(struct client *c)
{
    const struct request *request = c->reply.request;
    ssize_t count = send(c->socket, request->text + c->sent,
                         request->length - c->sent, MSG_NOSIGNAL);
    if (count == -1 && errno != EAGAIN)
        return fail(c, errno);
    c->sent += count == -1 ? 0 : (size_t)count;
    if (c->sent < request->length)
        return await(c, EPOLLOUT);
    c->record->sent = now_ns();
    c->record->phase = WAIT;
    return await(c, REPLY_EVENTS);
}

static enum progress await_greeting(struct client *c)
{
    c->record->phase = WAIT;
    enum progress progress = await(c, REPLY_EVENTS);
    /* http has no greeting: to be connected is all that it can hold. */
    return progress == UNDER_WAY && plan.is_http ? complete(c, OK) : progress;
}

static enum progress stay_silent(struct client *c)
{
    c->record->phase = WAIT;
    return await(c, EPOLLIN) == UNDER_WAY ? IN_POSITION : ENDED;
}

enum progress attempt_dribble(struct client *c)
{
    const struct request *request = c->reply.request;
    const char *byte =
        c->sent < request->length ? request->text + c->sent : "x";
    ssize_t count = send(c->socket, byte, 1, MSG_NOSIGNAL);
    if (count == -1 && errno != EAGAIN)
        return fail(c, errno);
    c->sent += count == 1;
    return await(c, EPOLLIN) == UNDER_WAY ? IN_POSITION : ENDED;
}

/* A close in good order arrives behind all that is not read, so it is not seen
 * here: the server's trace has it. */
static enum progress send_and_not_read(struct client *c)
{
    enum progress progress = send_request(c);
    if (progress != UNDER_WAY || c->record->phase != WAIT)
        return progress;
    return await(c, EPOLLRDHUP) == UNDER_WAY ? IN_POSITION : ENDED;
}

static enum progress send_something(struct client *c)
{
    switch (plan.behaviour) {
    case SILENT:
        return stay_silent(c);
    case DRIBBLES:
        return attempt_dribble(c);
    case NOT_READING:
        return send_and_not_read(c);
    case ORDINARY:
        break;
    }
    return c->reply.request != NULL ? send_request(c) : await_greeting(c);
}

/* ---- Connecting ---- */

static enum progress finish_connect(struct client *c)
{
    int error = socket_finish_connect(c->socket, c->record);
    if (error == EINPROGRESS)
        return await(c, EPOLLOUT);
    if (error != 0)
        return fail(c, error);
    c->record->connected = now_ns();
    c->record->phase = SEND;
    return send_something(c);
}

/* On the loopback a connection is ready when connect() returns, and the request
 * is sent at once. Clients that were prepared are started in one moment, and
 * none may hold up the next. */
static enum progress start_connect(struct client *c)
{
    bool was_prepared = c->socket != -1;
    if (!was_prepared)
        c->socket = socket_open(records_count() - 1);
    if (c->socket == -1 || socket_connect(c->socket) == -1)
        return fail(c, errno);
    return was_prepared ? UNDER_WAY : finish_connect(c);
}

static enum progress ask_again(struct client *c, const struct record *previous)
{
    c->record->source = previous->source;
    c->record->port = previous->port;
    c->record->connected = c->record->started;
    c->record->phase = SEND;
    return send_request(c);
}

enum progress attempt_begin(struct client *c, int64_t intended)
{
    const struct record *previous = c->record;
    bool is_connected = previous != NULL && c->requests > 0;
    reply_expect(&c->reply, schedule_request(records_count()));
    c->record = records_add(intended);
    c->record->started = now_ns();
    c->sent = 0;
    c->requests++;
    return is_connected ? ask_again(c, previous) : start_connect(c);
}

/* ---- Receiving ---- */

/* Returns the count of bytes received, 0 at their end, or -1 with errno. Of a
 * long body the bytes are only counted, and not copied for that: tcp(7),
 * MSG_TRUNC. */
static ssize_t receive(struct client *c)
{
    bool only_counts = reply_body_left(&c->reply) > RECEIVED_AT_ONCE;
    ssize_t count =
        recv(c->socket, received, sizeof received, only_counts ? MSG_TRUNC : 0);
    if (count <= 0)
        return count;
    c->record->bytes += count;
    if (count == RECEIVED_AT_ONCE)
        c->has_peer_closed = false; /* there may be more before the end */
    if (c->record->first_byte == 0)
        c->record->first_byte = now_ns();
    if (c->record->phase == WAIT)
        c->record->phase = RECEIVE;
    return count;
}

int attempt_discard(struct client *c)
{
    ssize_t count = receive(c);
    if (count == 0)
        errno = 0;
    return count > 0 || (count == -1 && errno == EAGAIN) ? 0 : -1;
}

static enum progress receive_reply(struct client *c)
{
    ssize_t count = receive(c);
    if (count == -1)
        return errno == EAGAIN ? UNDER_WAY : fail(c, errno);
    enum outcome outcome = count == 0
                               ? reply_end(&c->reply)
                               : reply_take(&c->reply, received, (size_t)count);
    if (outcome == OPEN)
        return UNDER_WAY;
    if (outcome != CLOSED)
        return complete(c, outcome);
    return attempt_end(c, c->record->bytes > 0 ? SHORT : NONE, 0);
}

enum progress attempt_continue(struct client *c)
{
    if (c->record->phase == CONNECT)
        return finish_connect(c);
    if (c->record->phase != SEND)
        return receive_reply(c);
    return plan.behaviour == NOT_READING ? send_and_not_read(c)
                                         : send_request(c);
}
