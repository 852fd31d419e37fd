/* Clients: the course of an attempt, from its start to its one outcome. */

#include "clients.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "plan.h"
#include "records.h"
#include "schedule.h"
#include "sockets.h"
#include "talk.h"

#define BACK_OFF_NS (10 * NS_PER_MS) /* a user's rest after a failure */
#define LEAVING_NS NS_PER_S /* we wait so long for the server's close */

enum { HEARD_AT_ONCE = 1 << 18 };

enum stage {
    ASKING,   /* its attempt is under way */
    STAYING,  /* hold, slow: it is in its place */
    THINKING, /* between two attempts */
    LEAVING,  /* it has said its last, and waits for the server to close */
};

struct client {
    int socket;       /* -1: none */
    uint32_t watched; /* what epoll looks for */
    enum stage stage;
    struct record *record; /* of its latest attempt */
    struct talk talk;
    size_t sent; /* bytes of the request */
    int asked;   /* requests on this connection */
    bool has_settled;

    struct line *line; /* where it stands, or NULL */
    struct client *before, *after;
    int64_t due;
};

static int epoll;
static int64_t active_count, settled_count;

/* ---- Lines: those who wait equally long are due in the order of coming, so a
 * list serves any number of deadlines ---- */

struct line {
    struct client *first, *last;
};

static struct line asking; /* all whose attempt is under way */
static struct line thinking, backing_off, dribbling, leaving;
static struct line staying;
static struct line idle; /* prepared for an attempt, or free for another */

static void leave_line(struct client *c)
{
    if (c->line == NULL)
        return;
    *(c->before != NULL ? &c->before->after : &c->line->first) = c->after;
    *(c->after != NULL ? &c->after->before : &c->line->last) = c->before;
    c->line = NULL;
}

/* All who join one line pass the same delay; 0 means that none is ever due. */
static void join_line(struct line *line, struct client *c, int64_t delay_ns)
{
    leave_line(c);
    c->line = line;
    c->due = deadline_after(delay_ns);
    c->before = line->last;
    c->after = NULL;
    *(line->last != NULL ? &line->last->after : &line->first) = c;
    line->last = c;
}

/* ---- One client ---- */

static struct client *add_client(void)
{
    struct client *c = calloc(1, sizeof *c);
    if (c == NULL)
        err(EXIT_FAILURE, "no memory for a client");
    c->socket = -1;
    join_line(&idle, c, 0);
    return c;
}

static void close_socket(struct client *c)
{
    if (c->socket != -1)
        close(c->socket);
    c->socket = -1;
    c->asked = 0;
    c->talk = (struct talk){0};
}

/* Returns whether c has a socket now, not yet connected; errno says why not. */
static bool open_socket(struct client *c, int64_t i)
{
    struct epoll_event wanted = {.events = EPOLLOUT, .data.ptr = c};
    c->watched = wanted.events;
    c->socket = socket_open(i);
    if (c->socket == -1)
        return false;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->socket, &wanted) == 0)
        return true;
    int error = errno;
    close_socket(c);
    errno = error;
    return false;
}

static void watch(struct client *c, uint32_t events)
{
    struct epoll_event wanted = {.events = events, .data.ptr = c};
    if (c->watched != events &&
        epoll_ctl(epoll, EPOLL_CTL_MOD, c->socket, &wanted) == -1)
        err(EXIT_FAILURE, "cannot watch a socket");
    c->watched = events;
}

/* Counts a client that has come to its place, or will not come any more. */
static void settle(struct client *c)
{
    settled_count += !c->has_settled;
    c->has_settled = true;
}

static void retire(struct client *c)
{
    settle(c);
    close_socket(c);
    join_line(&idle, c, 0);
    active_count--;
}

static void stay(struct client *c)
{
    settle(c);
    c->record->outcome = OK;
    c->stage = STAYING;
    join_line(&staying, c, 0);
}

/* ---- The end of an attempt, and what follows ---- */

static void ask(struct client *c, int64_t intended);

/* closed: a free user thinks, if it does, and asks again. After a failure it
 * rests, so that a dead server is not hammered. */
static void rest(struct client *c)
{
    c->stage = THINKING;
    if (c->record->outcome != OK)
        join_line(&backing_off, c, BACK_OFF_NS);
    else if (plan.think_ns > 0)
        join_line(&thinking, c, plan.think_ns);
    else
        ask(c, now_ns());
}

/* The connection is over. */
static void part(struct client *c)
{
    close_socket(c);
    if (plan.mode->repeats && schedule_is_open(now_ns()))
        rest(c);
    else
        retire(c);
}

/* Says that no request follows, and listens until the server closes too: one
 * answer too many would still be heard. */
static void take_leave(struct client *c)
{
    c->stage = LEAVING;
    join_line(&leaving, c, LEAVING_NS);
    if (shutdown(c->socket, SHUT_WR) == -1)
        part(c); /* the server was faster */
    else
        watch(c, EPOLLIN);
}

static void finish_rest(struct client *c)
{
    if (schedule_is_open(now_ns()))
        ask(c, c->due);
    else if (c->socket != -1)
        take_leave(c);
    else
        retire(c);
}

static void end_attempt(struct client *c, enum outcome outcome, int error)
{
    struct record *record = c->record;
    if (record->phase == CONNECT && c->socket != -1)
        socket_describe(c->socket, record);
    if (c->stage == STAYING && record->done == 0)
        record->done = now_ns();
    record->outcome = (uint8_t)outcome;
    record->error = error;
    part(c);
}

static void fail(struct client *c, int error)
{
    end_attempt(c, records_judge_error(error), error);
}

/* hold: a client that is connected and not greeted in time keeps its place in
 * the server's queue, for that is what hold is for. */
static void time_out(struct client *c)
{
    if (!plan.mode->stays || c->record->phase == CONNECT) {
        end_attempt(c, TIMEOUT, 0);
        return;
    }
    settle(c);
    c->record->outcome = TIMEOUT;
    join_line(&staying, c, 0);
}

static bool is_kept(const struct client *c)
{
    bool has_more = plan.requests == 0 || c->asked < plan.requests;
    return plan.mode->repeats && has_more && !c->talk.is_last &&
           schedule_is_open(now_ns());
}

static void finish_attempt(struct client *c, enum outcome outcome)
{
    c->record->done = now_ns();
    c->record->phase = DONE;
    c->record->outcome = (uint8_t)outcome;
    if (outcome == OK && plan.mode->stays)
        stay(c);
    else if (outcome == OK && is_kept(c))
        rest(c);
    else
        take_leave(c);
}

/* ---- Speaking ---- */

static void send_request(struct client *c)
{
    const struct request *request = c->talk.request;
    ssize_t count = send(c->socket, request->text + c->sent,
                         request->length - c->sent, MSG_NOSIGNAL);
    if (count == -1 && errno != EAGAIN) {
        fail(c, errno);
        return;
    }
    c->sent += count == -1 ? 0 : (size_t)count;
    if (c->sent < request->length) {
        watch(c, EPOLLOUT);
        return;
    }
    c->record->sent = now_ns();
    c->record->phase = WAIT;
    watch(c, EPOLLIN);
}

/* http has no greeting, so to be connected is all that it can hold. */
static void await_greeting(struct client *c)
{
    c->record->phase = WAIT;
    watch(c, EPOLLIN);
    if (plan.is_http)
        finish_attempt(c, OK);
}

static void ask_politely(struct client *c)
{
    if (c->talk.request != NULL)
        send_request(c);
    else
        await_greeting(c);
}

static void fall_silent(struct client *c)
{
    c->record->phase = WAIT;
    watch(c, EPOLLIN);
    stay(c);
}

/* Sends one more byte of a request that never ends. */
static void dribble(struct client *c)
{
    const struct request *request = c->talk.request;
    const char *byte =
        c->sent < request->length ? request->text + c->sent : "x";
    ssize_t count = send(c->socket, byte, 1, MSG_NOSIGNAL);
    if (count == -1 && errno != EAGAIN) {
        fail(c, errno);
        return;
    }
    c->sent += count == 1;
    join_line(&dribbling, c, plan.gap_ns);
}

static void begin_to_dribble(struct client *c)
{
    watch(c, EPOLLIN);
    stay(c);
    dribble(c);
}

/* Asks, and wants to know of nothing but the end. A close in good order stands
 * behind all that is not read and is not seen: the server's trace has it. */
static void turn_deaf(struct client *c)
{
    send_request(c);
    if (c->record->phase != WAIT)
        return;
    watch(c, EPOLLRDHUP);
    stay(c);
}

static void (*const speak[])(struct client *c) = {
    [POLITE] = ask_politely,
    [SILENT] = fall_silent,
    [DRIBBLING] = begin_to_dribble,
    [DEAF] = turn_deaf,
};

static void finish_connect(struct client *c)
{
    int error = socket_finish_connect(c->socket, c->record);
    if (error != 0) {
        fail(c, error);
        return;
    }
    c->record->connected = now_ns();
    c->record->phase = SEND;
    speak[plan.manner](c);
}

static void start_connect(struct client *c)
{
    bool is_open = c->socket != -1 || open_socket(c, records_count() - 1);
    if (!is_open || socket_connect(c->socket) == -1)
        fail(c, errno);
}

static void ask_again(struct client *c, const struct record *previous)
{
    c->record->source = previous->source;
    c->record->port = previous->port;
    c->record->connected = c->record->started;
    c->record->phase = SEND;
    send_request(c);
}

/* Begins an attempt, on a connection of its own or on the one c has kept. */
static void ask(struct client *c, int64_t intended)
{
    const struct record *previous = c->record;
    bool is_connected = previous != NULL && c->asked > 0;
    talk_expect(&c->talk, schedule_request(records_count()));
    c->record = records_add(intended);
    c->record->started = now_ns();
    c->stage = ASKING;
    c->sent = 0;
    join_line(&asking, c, plan.timeout_ns);
    c->asked++;
    if (is_connected)
        ask_again(c, previous);
    else
        start_connect(c);
}

/* ---- Hearing ---- */

/* Nothing was asked, or it has been answered before. */
static void hear_too_much(struct client *c)
{
    if (c->record->outcome == OK)
        c->record->outcome = WRONG;
    if (c->stage == THINKING)
        close_socket(c);
}

static void hear_answer(struct client *c, const char *bytes, size_t length)
{
    enum outcome outcome = talk_hear(&c->talk, bytes, length);
    if (outcome != OPEN)
        finish_attempt(c, outcome);
}

static void hear_bytes(struct client *c, const char *bytes, size_t length)
{
    struct record *record = c->record;
    record->bytes += (int64_t)length;
    if (record->first_byte == 0)
        record->first_byte = now_ns();
    if (record->phase == WAIT)
        record->phase = RECEIVE;
    if (c->stage == ASKING)
        hear_answer(c, bytes, length);
    else if (c->stage != STAYING)
        hear_too_much(c);
}

static void hear_end(struct client *c, int error)
{
    if (c->stage == LEAVING)
        part(c);
    else if (c->stage == THINKING)
        close_socket(c); /* the next request has a connection of its own */
    else if (error != 0)
        fail(c, error);
    else if (c->stage == ASKING && talk_end(&c->talk) != CLOSED)
        finish_attempt(c, talk_end(&c->talk));
    else
        end_attempt(c, CLOSED, 0);
}

/* Of a long body the bytes are only counted, and not copied for that: tcp(7),
 * MSG_TRUNC. */
static void hear(struct client *c)
{
    static char bytes[HEARD_AT_ONCE];
    bool only_counts = talk_body_left(&c->talk) > (int64_t)sizeof bytes;
    ssize_t count =
        recv(c->socket, bytes, sizeof bytes, only_counts ? MSG_TRUNC : 0);
    if (count > 0)
        hear_bytes(c, bytes, (size_t)count);
    else if (count == 0)
        hear_end(c, 0);
    else if (errno != EAGAIN)
        hear_end(c, errno);
}

/* ---- All clients ---- */

static const struct {
    struct line *line;
    void (*befall)(struct client *c); /* whoever is due */
} timers[] = {
    {&asking, time_out},
    {&thinking, finish_rest},
    {&backing_off, finish_rest},
    {&dribbling, dribble},
    {&leaving, part},
};

enum { TIMER_COUNT = sizeof timers / sizeof *timers };

void clients_open(int epoll_descriptor)
{
    epoll = epoll_descriptor;
}

/* Where a socket cannot be made, the start tries again and records why not. */
void clients_prepare(int count)
{
    for (int i = 0; i < count; i++)
        open_socket(add_client(), i);
}

void clients_start(int64_t intended_ns)
{
    struct client *c = idle.first != NULL ? idle.first : add_client();
    c->has_settled = false;
    active_count++;
    ask(c, intended_ns);
}

void clients_handle(struct client *c, uint32_t events)
{
    if (c->record->phase == CONNECT)
        finish_connect(c);
    else if (c->watched == EPOLLOUT && (events & EPOLLOUT) != 0)
        send_request(c);
    else
        hear(c);
}

int64_t clients_next_due(void)
{
    int64_t due = NEVER;
    for (int i = 0; i < TIMER_COUNT; i++) {
        struct client *c = timers[i].line->first;
        if (c != NULL && c->due < due)
            due = c->due;
    }
    return due;
}

void clients_serve_due(void)
{
    for (int i = 0; i < TIMER_COUNT; i++) {
        struct client *c;
        while ((c = timers[i].line->first) != NULL && c->due <= now_ns()) {
            leave_line(c);
            timers[i].befall(c);
        }
    }
}

int64_t clients_active(void)
{
    return active_count;
}

int64_t clients_settled(void)
{
    return settled_count;
}

static int64_t count_in_place(const struct line *line)
{
    int64_t count = 0;
    for (const struct client *c = line->first; c != NULL; c = c->after)
        count += c->stage == STAYING;
    return count;
}

int64_t clients_in_place(void)
{
    return count_in_place(&staying) + count_in_place(&dribbling);
}

static void end_stays(const struct line *line)
{
    for (const struct client *c = line->first; c != NULL; c = c->after)
        if (c->stage == STAYING && c->record->done == 0)
            c->record->done = now_ns();
}

void clients_close_records(void)
{
    for (const struct client *c = asking.first; c != NULL; c = c->after)
        c->record->outcome = CUT;
    end_stays(&staying);
    end_stays(&dribbling);
}
