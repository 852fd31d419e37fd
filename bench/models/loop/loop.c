/* The loop: turns for those that are ready, then a wait for all the others.
 *
 * A coroutine's own socket is watched from its first wait to its end, so that
 * most waits need no system call of their own. All else is watched only while
 * it is waited for: it may be closed at any time, and its number given away. */

#include "loop.h"

#include <err.h>
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
    struct coroutine *current, *spare, *newest;
    struct coroutine *ready, **last_ready;
    struct coroutine *room_waiter; /* until there are fewer than max_alive */
    long alive, max_alive;
    int spare_count;
    struct timers timers;
    struct watches watches;
    struct watched {
        struct coroutine *waiter; /* NULL: nobody waits for it now */
        short events;             /* 0: it is not watched */
    } watched[MAX_WATCHED];
};

static _Thread_local struct loop *loop; /* of this thread */

static void make_ready(struct coroutine *coroutine)
{
    coroutine->next = NULL;
    *loop->last_ready = coroutine;
    loop->last_ready = &coroutine->next;
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
        stack_switch(&loop->current->stack, &loop->stack);
    }
}

static void keep(struct coroutine *spare)
{
    spare->next = loop->spare;
    loop->spare = spare;
    loop->spare_count++;
}

/* Returns false with errno when there is no memory for one more. */
static bool make_spare(void)
{
    struct coroutine *made = stack_new(sizeof *made, body);
    if (made == NULL)
        return false;
    made->timer.owner = made;
    made->older = loop->newest;
    if (loop->newest != NULL)
        loop->newest->newer = made;
    loop->newest = made;
    keep(made);
    return true;
}

static void unmake(struct coroutine *coroutine)
{
    struct coroutine *older = coroutine->older, *newer = coroutine->newer;
    *(newer != NULL ? &newer->older : &loop->newest) = older;
    if (older != NULL)
        older->newer = newer;
    stack_free(&coroutine->stack);
}

int loop_start(void (*run)(int), int client)
{
    if (!timers_reserve(&loop->timers, (size_t)loop->alive + 1) ||
        (loop->spare == NULL && !make_spare()))
        return -1;
    struct coroutine *coroutine = loop->spare;
    loop->spare = coroutine->next;
    loop->spare_count--;
    coroutine->run = run;
    coroutine->client = client;
    loop->alive++;
    make_ready(coroutine);
    return 0;
}

static void retire(struct coroutine *coroutine)
{
    loop->alive--;
    if (loop->spare_count < MAX_SPARE)
        keep(coroutine);
    else
        unmake(coroutine);
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
    stack_switch(&loop->current->stack, &loop->stack);
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

static void unwatch(int fd)
{
    watches_remove(&loop->watches, fd);
    loop->watched[fd].events = 0;
}

/* The pipe of a stop is the loop's: it is watched once, for all. */
static bool is_watchable(int fd)
{
    return fd >= 0 && fd < MAX_WATCHED && fd != stop_fd();
}

static bool watch(int fd, short events)
{
    struct watched *watched = &loop->watched[fd];
    if (watched->events != 0 && watched->events != events)
        unwatch(fd);
    if (watched->events == 0 && !watches_add(&loop->watches, fd, events))
        return false;
    watched->events = events;
    watched->waiter = loop->current;
    return true;
}

static void end_wait(struct coroutine *coroutine)
{
    for (nfds_t i = 0; i < coroutine->count; i++) {
        int fd = coroutine->polled[i].fd;
        if (!is_watchable(fd))
            continue;
        loop->watched[fd].waiter = NULL;
        if (fd != coroutine->client && loop->watched[fd].events != 0)
            unwatch(fd);
    }
    timers_remove(&loop->timers, &coroutine->timer);
    coroutine->polled = NULL;
    make_ready(coroutine);
}

/* Ends the wait if fd is among what it is for, and notes why. */
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

static void begin_wait(struct coroutine *self)
{
    bool is_watching = true;
    for (nfds_t i = 0; i < self->count && is_watching; i++)
        if (is_watchable(self->polled[i].fd))
            is_watching = watch(self->polled[i].fd, self->polled[i].events);
    if (!is_watching)
        self->timer.deadline = 0; /* no memory: it is late at once */
    if (self->timer.deadline != NEVER)
        timers_add(&loop->timers, &self->timer);
    if (stop_requested())
        end_wait_for(self, stop_fd(), POLLIN);
}

int loop_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    struct coroutine *self = loop != NULL ? loop->current : NULL;
    if (self == NULL) /* not a loop's thread */
        return poll(polled, count, timeout_ms);
    /* What a new client wants is often there already: nothing to watch. */
    if (loop->watched[self->client].events == 0 && poll(polled, count, 0) > 0)
        return 1;
    self->polled = polled;
    self->count = count;
    self->ready = 0;
    self->timer.deadline = NEVER;
    if (timeout_ms >= 0)
        self->timer.deadline = now_ns() + timeout_ms * NS_PER_MS;
    begin_wait(self);
    stack_switch(&loop->current->stack, &loop->stack);
    return self->ready;
}

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

void loop_run(struct loop *opened, void (*run)(int), int fd)
{
    loop = opened;
    if (loop_start(run, fd) == -1)
        err(EXIT_FAILURE, "cannot start a coroutine");
    for (give_turns(); loop->alive > 0; give_turns())
        take_events();
    while (loop->newest != NULL)
        unmake(loop->newest);
    watches_close(&loop->watches);
    free(loop->timers.heap);
    free(loop);
}
