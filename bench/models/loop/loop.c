/* The loop: turns for those that are ready, then a wait for all the others.
 *
 * A coroutine's own socket is watched from its first wait to its end, so that
 * most waits need no system call of their own. All else is watched only while
 * it is waited for: it may be closed at any time, and its number given away. */

#include "loop.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "clock.h"
#include "stack.h"
#include "stop.h"
#include "timers.h"
#include "watches.h"

enum { MAX_SPARE = 64 }; /* stacks kept for the next; all others are freed */

struct coroutine {
    struct stack stack; /* first: see stack_new */
    void (*run)(int);   /* NULL: it has ended */
    int client;
    struct pollfd *polled; /* while it waits, else NULL */
    nfds_t count;
    int ready; /* what its loop_poll returns */
    struct timer timer;
    struct coroutine *next;          /* of the ready, or of the spare */
    struct coroutine *older, *newer; /* of all, for a stop and for debuggers */
};

struct loop {
    struct stack stack; /* of its thread */
    struct coroutine *current;
    struct coroutine *ready, **last_ready;
    struct coroutine *spare;
    struct coroutine *newest;
    struct coroutine *room_waiter; /* until there are fewer than max_alive */
    long alive, max_alive;
    size_t made, spare_count;
    struct timers timers;
    struct watches watches;
    struct watched {
        struct coroutine *waiter; /* NULL: nobody waits for it now */
        short events;             /* 0: it is not watched */
    } watched[MAX_WATCHED];
};

static _Thread_local struct loop *loop; /* of this thread */

/* --- turns --------------------------------------------------------------- */

static void make_ready(struct coroutine *coroutine)
{
    coroutine->next = NULL;
    *loop->last_ready = coroutine;
    loop->last_ready = &coroutine->next;
}

static void give_way(void)
{
    stack_switch(&loop->current->stack, &loop->stack);
}

/* What is on a coroutine's stack: one conversation after the other. */
static void body(void)
{
    stack_entered(&loop->stack);
    for (;;) {
        struct coroutine *self = loop->current;
        self->run(self->client);
        loop->watched[self->client] = (struct watched){0}; /* it is closed */
        self->run = NULL;
        give_way();
    }
}

static struct coroutine *make(void)
{
    struct coroutine *made = NULL;
    if (timers_reserve(&loop->timers, loop->made + 1))
        made = (struct coroutine *)(void *)stack_new(sizeof *made, body);
    if (made == NULL)
        return NULL;
    loop->made++;
    made->timer.owner = made;
    made->older = loop->newest;
    if (loop->newest != NULL)
        loop->newest->newer = made;
    loop->newest = made;
    return made;
}

static void unmake(struct coroutine *coroutine)
{
    struct coroutine *older = coroutine->older, *newer = coroutine->newer;
    if (older != NULL)
        older->newer = newer;
    *(newer != NULL ? &newer->older : &loop->newest) = older;
    loop->made--;
    stack_free(&coroutine->stack);
}

int loop_start(void (*run)(int), int client)
{
    struct coroutine *coroutine = loop->spare;
    if (coroutine != NULL) {
        loop->spare = coroutine->next;
        loop->spare_count--;
    } else if ((coroutine = make()) == NULL) {
        return -1;
    }
    coroutine->run = run;
    coroutine->client = client;
    loop->alive++;
    make_ready(coroutine);
    return 0;
}

static void retire(struct coroutine *coroutine)
{
    loop->alive--;
    if (loop->spare_count < MAX_SPARE) {
        coroutine->next = loop->spare;
        loop->spare = coroutine;
        loop->spare_count++;
    } else {
        unmake(coroutine);
    }
    if (loop->room_waiter != NULL && loop->alive < loop->max_alive) {
        make_ready(loop->room_waiter);
        loop->room_waiter = NULL;
    }
}

void loop_await_room(long max)
{
    if (loop->alive < max)
        return;
    loop->max_alive = max;
    loop->room_waiter = loop->current;
    give_way();
}

/* Those that become ready meanwhile come after the next look at sockets. */
static void give_turns(void)
{
    struct coroutine *next, *coroutine = loop->ready;
    loop->ready = NULL;
    loop->last_ready = &loop->ready;
    for (; coroutine != NULL; coroutine = next) {
        next = coroutine->next;
        loop->current = coroutine;
        stack_switch(&loop->stack, &coroutine->stack);
        if (coroutine->run == NULL)
            retire(coroutine);
    }
}

/* --- waiting ------------------------------------------------------------- */

static void unwatch(int fd)
{
    watches_remove(&loop->watches, fd);
    loop->watched[fd].events = 0;
}

static bool watch(int fd, short events)
{
    struct watched *watched = &loop->watched[fd];
    if (watched->events != events) {
        if (watched->events != 0)
            unwatch(fd);
        if (!watches_add(&loop->watches, fd, events))
            return false;
        watched->events = events;
    }
    watched->waiter = loop->current;
    return true;
}

/* The pipe of a stop is the loop's: it is watched once, for all. */
static bool is_watched(const struct pollfd *polled)
{
    return polled->fd >= 0 && polled->fd < MAX_WATCHED &&
           polled->fd != stop_fd();
}

static void end_wait(struct coroutine *coroutine)
{
    for (nfds_t i = 0; i < coroutine->count; i++) {
        if (!is_watched(&coroutine->polled[i]))
            continue;
        int fd = coroutine->polled[i].fd;
        loop->watched[fd].waiter = NULL;
        if (fd != coroutine->client && loop->watched[fd].events != 0)
            unwatch(fd);
    }
    timers_remove(&loop->timers, &coroutine->timer);
    coroutine->polled = NULL;
    make_ready(coroutine);
}

/* Notes for each of its descriptors which of them is fd, and for what. */
static void end_wait_for(struct coroutine *coroutine, int fd, short events)
{
    for (nfds_t i = 0; i < coroutine->count; i++)
        if (coroutine->polled[i].fd == fd) {
            coroutine->polled[i].revents = events;
            coroutine->ready = 1;
        }
    if (coroutine->ready == 1)
        end_wait(coroutine);
}

static void begin_wait(struct coroutine *self, struct pollfd *polled,
                       nfds_t count, int timeout_ms)
{
    self->polled = polled;
    self->count = count;
    self->ready = 0;
    if (timeout_ms >= 0) {
        self->timer.deadline = now_ns() + timeout_ms * NS_PER_MS;
        timers_add(&loop->timers, &self->timer);
    }
}

/* Begins to watch all of them. Returns false when that is not possible. */
static bool watch_all(const struct pollfd *polled, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        if (is_watched(&polled[i]) && !watch(polled[i].fd, polled[i].events))
            return false;
    return true;
}

/* Has it not yet waited for its client? */
static bool is_new(const struct coroutine *self)
{
    return loop->watched[self->client].events == 0;
}

int loop_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    if (loop == NULL)
        return poll(polled, count, timeout_ms); /* not a loop's thread */
    struct coroutine *self = loop->current;
    if (is_new(self) && poll(polled, count, 0) > 0)
        return 1; /* served in one go: nothing to watch */
    begin_wait(self, polled, count, timeout_ms);
    if (!watch_all(polled, count)) {
        self->ready = -1;
        end_wait(self);
    } else if (stop_requested()) {
        end_wait_for(self, stop_fd(), POLLIN);
    }
    give_way();
    if (self->ready == -1)
        errno = ENOMEM;
    return self->ready;
}

/* --- the loop ------------------------------------------------------------ */

static void take_stop(void)
{
    struct coroutine *older;
    for (struct coroutine *c = loop->newest; c != NULL; c = older) {
        older = c->older;
        if (c->polled != NULL)
            end_wait_for(c, stop_fd(), POLLIN);
    }
    unwatch(stop_fd()); /* once: it stays readable */
}

/* A socket of a coroutine that is about something else now may be ready, too:
 * it is watched again when it is waited for. */
static void take_event(const struct pollfd *ready)
{
    struct watched *watched = &loop->watched[ready->fd];
    if (ready->fd == stop_fd())
        take_stop();
    else if (watched->waiter != NULL)
        end_wait_for(watched->waiter, ready->fd, ready->revents);
    else if (watched->events != 0)
        unwatch(ready->fd);
}

static void take_events(void)
{
    struct pollfd ready[MAX_READY];
    struct timer *first = timers_first(&loop->timers);
    int64_t deadline = loop->ready != NULL ? 0
                       : first != NULL     ? first->deadline
                                           : NEVER;
    int count = watches_wait(&loop->watches, ready, deadline);
    for (int i = 0; i < count; i++)
        take_event(&ready[i]);
    int64_t now = first != NULL ? now_ns() : 0;
    while ((first = timers_first(&loop->timers)) && first->deadline <= now)
        end_wait(first->owner); /* its loop_poll returns 0 */
}

struct loop *loop_open(void)
{
    struct loop *opened = calloc(1, sizeof *opened);
    if (opened == NULL || !watches_open(&opened->watches) ||
        !watches_add(&opened->watches, stop_fd(), POLLIN))
        err(EXIT_FAILURE, "cannot make an event loop");
    opened->watched[stop_fd()].events = POLLIN;
    opened->last_ready = &opened->ready;
    return opened;
}

static void loop_free(void)
{
    while (loop->newest != NULL)
        unmake(loop->newest);
    watches_close(&loop->watches);
    free(loop->timers.heap);
    free(loop);
}

void loop_run(struct loop *opened, void (*run)(int), int fd)
{
    loop = opened;
    if (loop_start(run, fd) == -1)
        err(EXIT_FAILURE, "cannot start a coroutine");
    while (loop->alive > 0) {
        give_turns();
        if (loop->alive > 0)
            take_events();
    }
    loop_free();
}
