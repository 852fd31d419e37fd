/* Clients: from one state to the next. */

#include "clients.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "attempt.h"
#include "clock.h"
#include "events.h"
#include "plan.h"
#include "schedule.h"
#include "states.h"

#define BACK_OFF_NS (10 * NS_PER_MS) /* after a failure, to spare a server */
#define CLOSING_NS NS_PER_S          /* to wait for the server's close */

static int64_t active_count, settled_count;

static struct client *add_client(void)
{
    struct client *c = calloc(1, sizeof *c);
    if (c == NULL)
        err(EXIT_FAILURE, "no memory for a client");
    c->socket = -1;
    state_add(c);
    return c;
}

/* ---- After an attempt ---- */

static void start_attempt(struct client *c, int64_t intended);

/* Counts a client that is in position, or never will be. */
static void settle(struct client *c)
{
    settled_count += !c->has_settled;
    c->has_settled = true;
}

static void stay(struct client *c)
{
    settle(c);
    c->record->outcome = OK;
    if (plan.behaviour == DRIBBLES)
        state_enter(c, DRIBBLING, plan.gap_ns);
    else
        state_enter(c, STAYING, 0);
}

static void retire(struct client *c)
{
    settle(c);
    attempt_close(c);
    state_enter(c, IDLE, 0);
    active_count--;
}

/* closed: a user thinks, if it does, and asks again. */
static void go_on(struct client *c)
{
    if (c->record->outcome != OK)
        state_enter(c, BACKING_OFF, BACK_OFF_NS);
    else if (plan.think_ns > 0)
        state_enter(c, THINKING, plan.think_ns);
    else
        start_attempt(c, now_ns());
}

static void end_connection(struct client *c)
{
    attempt_close(c);
    if (plan.mode->repeats && schedule_is_open(now_ns()))
        go_on(c);
    else
        retire(c);
}

/* Sends no more requests, and receives until the server closes too: so a second
 * reply would still be noticed. Where the server has said that it will close,
 * it goes first, and the port that then rests (TIME_WAIT) is not ours. */
static void start_close(struct client *c)
{
    bool server_closes = c->reply.is_last;
    if (c->has_peer_closed) {
        end_connection(c);
        return;
    }
    state_enter(c, CLOSING, CLOSING_NS);
    if ((!server_closes && shutdown(c->socket, SHUT_WR) == -1) ||
        !events_watch(c, REPLY_EVENTS))
        end_connection(c); /* the server was faster */
}

static bool is_kept(const struct client *c)
{
    bool has_more = plan.requests == 0 || c->requests < plan.requests;
    return plan.mode->repeats && has_more && !c->reply.is_last &&
           schedule_is_open(now_ns());
}

static void follow_reply(struct client *c)
{
    bool is_ok = c->record->outcome == OK;
    if (is_ok && plan.mode->stays)
        stay(c);
    else if (is_ok && is_kept(c))
        go_on(c);
    else
        start_close(c);
}

static bool is_in_position(const struct client *c)
{
    return c->state == STAYING || c->state == DRIBBLING;
}

static void follow(struct client *c, enum progress progress)
{
    if (progress == ENDED && is_in_position(c))
        c->record->done = now_ns();
    if (progress == IN_POSITION)
        stay(c);
    else if (progress == REPLIED)
        follow_reply(c);
    else if (progress == ENDED)
        end_connection(c);
}

static void start_attempt(struct client *c, int64_t intended)
{
    state_enter(c, ASKING, plan.timeout_ns);
    follow(c, attempt_begin(c, intended));
}

/* ---- When the socket is ready ---- */

static void receive_while_staying(struct client *c)
{
    if (attempt_discard(c) == 0)
        return;
    int error = errno;
    enum outcome outcome = error == 0 ? CLOSED : records_outcome_of(error);
    follow(c, attempt_end(c, outcome, error));
}

/* Bytes that nobody asked for make the last reply wrong. */
static void receive_too_much(struct client *c)
{
    int64_t before = c->record->bytes;
    bool is_over = attempt_discard(c) == -1;
    if (c->record->bytes > before && c->record->outcome == OK)
        c->record->outcome = WRONG;
    if (is_over && c->state == CLOSING)
        end_connection(c);
    else if (c->state != CLOSING && (is_over || c->record->bytes > before))
        attempt_close(c); /* the next request has a connection of its own */
}

void clients_handle(struct client *c)
{
    if (c->state == ASKING || c->state == OVERDUE)
        follow(c, attempt_continue(c));
    else if (is_in_position(c))
        receive_while_staying(c);
    else
        receive_too_much(c);
}

/* ---- When time is up ---- */

/* hold: a client that is connected and not greeted in time keeps its position
 * in the server's queue, for that is what hold is for. */
static void time_out(struct client *c)
{
    if (!plan.mode->stays || c->record->phase == CONNECT) {
        follow(c, attempt_end(c, TIMEOUT, 0));
        return;
    }
    settle(c);
    c->record->outcome = TIMEOUT;
    state_enter(c, OVERDUE, 0);
}

static void end_pause(struct client *c)
{
    if (schedule_is_open(now_ns()))
        start_attempt(c, c->due);
    else if (c->socket != -1)
        start_close(c);
    else
        retire(c);
}

static void handle_due(struct client *c)
{
    if (c->state == ASKING)
        time_out(c);
    else if (c->state == DRIBBLING)
        follow(c, attempt_dribble(c));
    else if (c->state == CLOSING)
        end_connection(c);
    else
        end_pause(c);
}

/* ---- All clients ---- */

/* Where a socket cannot be made, the start tries again and records why not. */
void clients_prepare(int count)
{
    for (int i = 0; i < count; i++)
        attempt_prepare(add_client(), i);
}

void clients_start(int64_t intended_ns)
{
    struct client *c = state_first(IDLE);
    if (c == NULL)
        c = add_client();
    c->has_settled = false;
    active_count++;
    start_attempt(c, intended_ns);
}

void clients_handle_due(void)
{
    states_handle_due(handle_due);
}

int64_t clients_active(void)
{
    return active_count;
}

int64_t clients_settled(void)
{
    return settled_count;
}

static int64_t count_clients(enum state state)
{
    int64_t count = 0;
    for (struct client *c = state_first(state); c != NULL; c = c->after)
        count++;
    return count;
}

int64_t clients_in_position(void)
{
    return count_clients(STAYING) + count_clients(DRIBBLING);
}

static void end_stays(enum state state)
{
    for (struct client *c = state_first(state); c != NULL; c = c->after)
        if (c->record->done == 0)
            c->record->done = now_ns();
}

void clients_close_records(void)
{
    for (struct client *c = state_first(ASKING); c != NULL; c = c->after)
        c->record->outcome = CUT;
    end_stays(STAYING);
    end_stays(DRIBBLING);
}
