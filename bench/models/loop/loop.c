/* The loop: turns for those that are ready, then one wait for all the others.
 *
 * A coroutine's own socket is watched from its first wait to its end, so that
 * most waits need no system call of their own. All else is watched only while
 * it is waited for: it may be closed at any time, and its number given away. */
#define _GNU_SOURCE /* for ppoll; NOLINT: the C library's name */
#include "loop.h"

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "stack.h"
#include "stop.h"

enum { MAX_POLLED = 3, MAX_READY = 256, MAX_SPARE = 64, UNWATCHED = -1 };

struct coroutine {
    struct stack stack;
    void (*run)(int); /* NULL: it has ended */
    int client;
    bool is_new;           /* it has not waited yet */
    short events;          /* for which its socket is watched */
    bool waits;            /* from now on it is among the ready */
    struct pollfd *polled; /* until it goes on */
    int64_t deadline;      /* NEVER: it is not in the list of timers */
    struct coroutine *earlier, *later, *next_ready;
};

static _Thread_local struct loop {
    struct stack stack; /* of its thread */
    struct coroutine *current, *ready, **last_ready, *room_waiter;
    struct coroutine timers; /* before the first deadline and after the last */
    int epoll, alive, highest, spare_count; /* highest: socket */
    struct stack spare[MAX_SPARE];          /* all others are closed */
    struct coroutine all[MAX_DESCRIPTORS];  /* indexed by socket */
} * loop;

static void make_ready(struct coroutine *coroutine)
{
    coroutine->next_ready = NULL;
    *loop->last_ready = coroutine;
    loop->last_ready = &coroutine->next_ready;
}

/* What is on a stack: one conversation after the other. */
static void body(void)
{
    stack_entered(&loop->stack);
    for (;;) {
        struct coroutine *self = loop->current;
        self->run(self->client);
        self->run = NULL;
        stack_switch(&self->stack, &loop->stack);
    }
}

int loop_start(void (*run)(int), int client)
{
    struct coroutine *self = &loop->all[client];
    *self = (struct coroutine){.client = client, .run = run, .is_new = true};
    self->events = UNWATCHED;
    if (loop->spare_count > 0)
        self->stack = loop->spare[--loop->spare_count];
    else if (!stack_open(&self->stack, body))
        return -1;
    loop->highest = client > loop->highest ? client : loop->highest;
    loop->alive++;
    make_ready(self);
    return 0;
}

static void retire(struct coroutine *ended)
{
    loop->alive--;
    if (loop->spare_count < MAX_SPARE)
        loop->spare[loop->spare_count++] = ended->stack;
    else
        stack_close(&ended->stack);
    if (loop->room_waiter != NULL)
        make_ready(loop->room_waiter);
    loop->room_waiter = NULL;
}

void loop_await_room(int max)
{
    if (loop->alive < max)
        return;
    loop->room_waiter = loop->current;
    stack_switch(&loop->current->stack, &loop->stack);
}

/* Those that become ready meanwhile come after the next look at sockets. */
static void give_turns(void)
{
    struct coroutine *next, *coroutine = loop->ready;
    loop->ready = NULL;
    loop->last_ready = &loop->ready;
    for (; coroutine != NULL; coroutine = next) {
        next = coroutine->next_ready;
        loop->current = coroutine;
        stack_switch(&loop->stack, &coroutine->stack);
        if (coroutine->run == NULL)
            retire(coroutine);
    }
}

/* The pipe of a stop is watched once, for all. */
static bool is_foreign(const struct coroutine *self, int fd)
{
    return fd != -1 && fd != self->client && fd != stop_fd();
}

/* Returns false if there is no memory to watch with. */
static bool watch(struct coroutine *self, struct pollfd *polled)
{
    bool is_own = polled->fd == self->client;
    struct epoll_event event = {
        .events = (uint16_t)polled->events, /* those of poll, bit for bit */
        .data.u64 = (uint64_t)self->client * MAX_POLLED +
                    (uint64_t)(polled - self->polled)};
    int operation =
        is_own && self->events != UNWATCHED ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    polled->revents = 0;
    if (is_own ? self->events == polled->events : !is_foreign(self, polled->fd))
        return true;
    if (is_own)
        self->events = polled->events;
    return epoll_ctl(loop->epoll, operation, polled->fd, &event) == 0;
}

/* From the last on: limits are mostly alike, and then the last is the place. */
static void add_timer(struct coroutine *self)
{
    struct coroutine *earlier = loop->timers.earlier;
    while (earlier->deadline > self->deadline)
        earlier = earlier->earlier;
    self->earlier = earlier;
    self->later = earlier->later;
    self->earlier->later = self->later->earlier = self;
}

static void end_wait(struct coroutine *coroutine)
{
    if (!coroutine->waits)
        return;
    coroutine->waits = false;
    if (coroutine->deadline != NEVER) {
        coroutine->earlier->later = coroutine->later;
        coroutine->later->earlier = coroutine->earlier;
    }
    make_ready(coroutine);
}

int loop_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    struct coroutine *self = loop != NULL ? loop->current : NULL;
    if (self == NULL) /* not a loop's thread */
        return poll(polled, count, timeout_ms);
    if (stop_requested() && poll(polled, count, 0) > 0)
        return 1;
    /* What a new client wants is often there already: let it look. */
    if (self->is_new && polled->events == POLLIN) {
        self->is_new = false;
        polled->revents = POLLIN;
        return 1;
    }
    int ready = 0;
    self->polled = polled;
    self->waits = true;
    for (nfds_t i = 0; i < count; i++)
        self->waits = watch(self, &polled[i]) && self->waits;
    self->deadline = timeout_ms < 0 ? NEVER : now_ns() + timeout_ms * NS_PER_MS;
    if (self->waits && timeout_ms >= 0)
        add_timer(self);
    if (self->waits)
        stack_switch(&self->stack, &loop->stack);
    else
        ready = -1;
    for (nfds_t i = 0; i < count; i++) {
        ready += ready >= 0 && polled[i].revents != 0;
        if (is_foreign(self, polled[i].fd))
            epoll_ctl(loop->epoll, EPOLL_CTL_DEL, polled[i].fd, NULL);
    }
    self->polled = NULL;
    return ready;
}

/* All look whether it is for them. */
static void take_stop(void)
{
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, stop_fd(), NULL); /* stays readable */
    for (int client = 0; client <= loop->highest; client++)
        end_wait(&loop->all[client]);
}

static void take_event(uint64_t what, uint32_t events)
{
    struct coroutine *coroutine = &loop->all[what / MAX_POLLED];
    struct pollfd *polled = coroutine->polled;
    uint64_t i = what % MAX_POLLED;
    if (polled != NULL && (i > 0 || polled->fd == coroutine->client)) {
        polled[i].revents = (short)events;
        end_wait(coroutine);
    } else { /* it is about something else now */
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, coroutine->client, NULL);
        coroutine->events = UNWATCHED;
    }
}

/* epoll_wait counts in milliseconds, and half of one is much for a client that
 * asked for two; ppoll waits for the epoll itself. */
static void await_first_timer(void)
{
    struct pollfd polled = {.fd = loop->epoll, .events = POLLIN};
    int64_t left_ns = loop->timers.later->deadline - now_ns();
    struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                            .tv_nsec = (long)(left_ns % NS_PER_S)};
    if (left_ns > 0)
        ppoll(&polled, 1, &left, NULL);
}

static void take_events(void)
{
    struct epoll_event events[MAX_READY];
    bool has_timers = loop->timers.later != &loop->timers;
    if (has_timers && loop->ready == NULL)
        await_first_timer();
    int count = epoll_wait(loop->epoll, events, MAX_READY,
                           has_timers || loop->ready != NULL ? 0 : -1);
    for (int i = 0; i < count; i++)
        if (events[i].data.u64 == UINT64_MAX)
            take_stop();
        else
            take_event(events[i].data.u64, events[i].events);
    for (int64_t now = has_timers ? now_ns() : 0;
         loop->timers.later != &loop->timers &&
         loop->timers.later->deadline <= now;)
        end_wait(loop->timers.later);
}

void loop_run(void (*run)(int), int fd)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    loop = calloc(1, sizeof *loop);
    if (loop == NULL || (loop->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, stop_fd(), &stop) == -1)
        err(EXIT_FAILURE, "cannot make an event loop");
    loop->timers.earlier = loop->timers.later = &loop->timers;
    loop->last_ready = &loop->ready;
    if (loop_start(run, fd) == -1)
        err(EXIT_FAILURE, "cannot start a coroutine");
    for (give_turns(); loop->alive > 0; give_turns())
        take_events();
    while (loop->spare_count > 0)
        stack_close(&loop->spare[--loop->spare_count]);
    close(loop->epoll);
    free(loop);
}
