/* The loop: turns for those that are ready, then one wait for all the others.
 *
 * What a coroutine polls stays watched when it goes on, so that most waits for
 * its own socket need no system call of their own. What becomes ready while
 * nobody waits for it is no longer watched. */
#define _GNU_SOURCE /* for ppoll; NOLINT: the C library's name */
#include "loop.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "stack.h"
#include "stop.h"

enum { MAX_READY = 256, MAX_SPARE = 64, UNWATCHED = -1 };

struct coroutine {
    struct stack stack;
    void (*run)(int);      /* NULL: it has ended */
    int client, events;    /* its socket, and for which that is watched */
    struct pollfd *polled; /* what it waits for */
    nfds_t count;          /* 0: it does not wait */
    int64_t deadline;
    struct coroutine *earlier, *later; /* in the one ring that it is in */
};

static _Thread_local struct loop {
    struct stack stack; /* of its thread */
    struct coroutine *current, *room_waiter;
    struct coroutine ready, timers; /* the heads of two rings */
    int epoll, alive, spare_count;
    struct stack spare[MAX_SPARE];         /* all others are closed */
    struct coroutine all[MAX_DESCRIPTORS]; /* indexed by socket */
} * loop;

static void leave_ring(struct coroutine *self)
{
    self->earlier->later = self->later;
    self->later->earlier = self->earlier;
    self->earlier = self->later = self;
}

static void join_ring(struct coroutine *self, struct coroutine *earlier)
{
    self->earlier = earlier;
    self->later = earlier->later;
    self->earlier->later = self->later->earlier = self;
}

static void make_ready(struct coroutine *self)
{
    leave_ring(self);
    join_ring(self, loop->ready.earlier);
}

static void give_way(void)
{
    stack_switch(&loop->current->stack, &loop->stack);
}

/* What is on a stack: one conversation after the other. */
static void body(void)
{
    stack_entered(&loop->stack);
    for (;;) {
        struct coroutine *self = loop->current;
        self->run(self->client);
        self->run = NULL;
        give_way();
    }
}

int loop_start(void (*run)(int), int client)
{
    struct coroutine *self = &loop->all[client];
    *self = (struct coroutine){.client = client, .run = run};
    self->events = UNWATCHED;
    if (loop->spare_count > 0)
        self->stack = loop->spare[--loop->spare_count];
    else if (!stack_open(&self->stack, body))
        return -1;
    loop->alive++;
    join_ring(self, loop->ready.earlier);
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
    if (loop->alive >= max)
        loop->room_waiter = loop->current;
    else if (loop->spare_count == 0)
        make_ready(loop->current); /* after those that may leave a stack */
    else
        return;
    give_way();
}

/* Those that become ready meanwhile come after the next look at sockets. */
static void give_turns(void)
{
    const struct coroutine *last = loop->ready.earlier;
    for (loop->current = &loop->ready; loop->current != last;) {
        loop->current = loop->ready.later;
        leave_ring(loop->current);
        stack_switch(&loop->stack, &loop->current->stack);
        if (loop->current->run == NULL)
            retire(loop->current);
    }
}

/* Returns false if there is no memory to watch with. The pipe of a stop is
 * watched once, for all. */
static bool watch(struct coroutine *self, const struct pollfd *polled)
{
    struct epoll_event event = {
        .events = (uint16_t)polled->events, /* those of poll, bit for bit */
        .data.u64 = (uint64_t)self->client << 32 | (uint32_t)polled->fd};
    if (polled->fd == -1 || polled->fd == stop_fd() ||
        (polled->fd == self->client && self->events == polled->events))
        return true;
    if (polled->fd == self->client)
        self->events = polled->events;
    return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, polled->fd, &event) == 0 ||
           (errno == EEXIST &&
            epoll_ctl(loop->epoll, EPOLL_CTL_MOD, polled->fd, &event) == 0);
}

/* From the last on: limits are mostly alike, and then the last is the place. */
static void start_timer(struct coroutine *self, int64_t deadline)
{
    struct coroutine *earlier = loop->timers.earlier;
    while (earlier != &loop->timers && earlier->deadline > deadline)
        earlier = earlier->earlier;
    self->deadline = deadline;
    join_ring(self, earlier);
}

int loop_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    if (loop == NULL) /* not a loop's thread */
        return poll(polled, count, timeout_ms);
    struct coroutine *self = loop->current;
    /* What a new client wants is often there already: look before watching. */
    if ((self->events == UNWATCHED || stop_requested()) &&
        poll(polled, count, 0) > 0)
        return 1;
    for (nfds_t i = 0; i < count; i++) {
        polled[i].revents = 0;
        if (!watch(self, &polled[i]))
            return -1;
    }
    self->polled = polled;
    self->count = count;
    if (timeout_ms >= 0)
        start_timer(self, now_ns() + timeout_ms * NS_PER_MS);
    give_way();
    self->count = 0;
    int ready = 0;
    for (nfds_t i = 0; i < count; i++)
        ready += polled[i].revents != 0;
    return ready;
}

/* All look whether it is for them. */
static void take_stop(void)
{
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, stop_fd(), NULL); /* stays readable */
    for (int client = 0; client < MAX_DESCRIPTORS; client++)
        if (loop->all[client].count > 0)
            make_ready(&loop->all[client]);
}

static void take_event(struct coroutine *self, int fd, short events)
{
    for (nfds_t i = 0; i < self->count; i++)
        if (self->polled[i].fd == fd) {
            self->polled[i].revents = events;
            make_ready(self);
            return;
        }
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
    if (fd == self->client)
        self->events = UNWATCHED;
}

/* epoll_wait counts in milliseconds, and half of one is much for a client that
 * asked for two; ppoll waits for the epoll itself. */
static void await_events_until(int64_t deadline)
{
    struct pollfd polled = {.fd = loop->epoll, .events = POLLIN};
    int64_t left_ns = deadline - now_ns();
    struct timespec left = {.tv_sec = (time_t)(left_ns / NS_PER_S),
                            .tv_nsec = (long)(left_ns % NS_PER_S)};
    if (left_ns > 0)
        ppoll(&polled, 1, &left, NULL);
}

static void take_events(void)
{
    struct epoll_event events[MAX_READY];
    int64_t deadline = loop->timers.later->deadline;
    bool may_wait = loop->ready.later == &loop->ready;
    if (may_wait && deadline != NEVER)
        await_events_until(deadline);
    int count = epoll_wait(loop->epoll, events, MAX_READY,
                           may_wait && deadline == NEVER ? -1 : 0);
    for (int i = 0; i < count; i++) {
        int fd = (int)(uint32_t)events[i].data.u64;
        if (fd == stop_fd())
            take_stop();
        else
            take_event(&loop->all[events[i].data.u64 >> 32], fd,
                       (short)events[i].events);
    }
    for (int64_t now = deadline == NEVER ? 0 : now_ns();
         loop->timers.later->deadline <= now;)
        make_ready(loop->timers.later);
}

void loop_run(void (*run)(int), int fd)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = stop_fd()};
    loop = calloc(1, sizeof *loop);
    if (loop == NULL || (loop->epoll = epoll_create1(EPOLL_CLOEXEC)) == -1 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, stop_fd(), &stop) == -1)
        err(EXIT_FAILURE, "cannot make an event loop");
    loop->ready.earlier = loop->ready.later = &loop->ready;
    loop->timers.earlier = loop->timers.later = &loop->timers;
    loop->timers.deadline = NEVER;
    if (loop_start(run, fd) == -1)
        err(EXIT_FAILURE, "cannot start a coroutine");
    for (give_turns(); loop->alive > 0; give_turns())
        take_events();
    while (loop->spare_count > 0)
        stack_close(&loop->spare[--loop->spare_count]);
    close(loop->epoll);
    free(loop);
}
