/* POSIX allows a wait for a condition variable to return without reason
 * (pthread_cond_wait(3p), "Condition Wait Semantics"), so each wait stands in a
 * loop that checks what it waits for. Here no wait ever has a reason: each
 * returns at once. Code with `if` in place of `while` goes on too early, every
 * time.
 *
 * Nothing here looks into what it tests: any right queue passes, and so do any
 * right slots. A queue of your own: build this with your queue.c. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "check.h"
#include "lab2-thread-per-client/slots.h"
#include "lab3-thread-pool/queue.h"

enum { ENOUGH = 3 }; /* false wakes in a row */

static atomic_int false_wakes;

/* In the place of the C library's, for all that is linked with this. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    (void)condition;
    pthread_mutex_unlock(mutex);
    atomic_fetch_add(&false_wakes, 1);
    sched_yield();
    pthread_mutex_lock(mutex);
    return 0;
}

/* A thread that has to wait in a call; result is what that call returned. */
static struct {
    pthread_t thread;
    int (*call)(void);
    int result;
    atomic_bool has_returned;
} waiter;

static void *run_waiter(void *unused)
{
    waiter.result = waiter.call();
    atomic_store(&waiter.has_returned, true);
    return unused;
}

/* Starts a thread in call, and checks that it is still there after some false
 * wakes; if not, there is nothing left to test. */
static void start_waiter(int (*call)(void))
{
    waiter.call = call;
    atomic_store(&waiter.has_returned, false);
    atomic_store(&false_wakes, 0);
    pthread_create(&waiter.thread, NULL, run_waiter, NULL);
    while (atomic_load(&false_wakes) < ENOUGH &&
           !atomic_load(&waiter.has_returned))
        sched_yield();
    CHECK(!atomic_load(&waiter.has_returned));
    if (atomic_load(&waiter.has_returned))
        exit(EXIT_FAILURE);
}

static int result_of_waiter(void)
{
    pthread_join(waiter.thread, NULL);
    return waiter.result;
}

/* --- the queue ---------------------------------------------------------- */

static struct queue queue;

static int pop(void)
{
    return queue_pop(&queue);
}

static int push(void)
{
    return queue_push(&queue, 2);
}

static int await_workers(void)
{
    queue_await_workers(&queue);
    return 0;
}

static void *pop_until_close(void *unused)
{
    while (queue_pop(&queue) != -1)
        continue;
    return unused;
}

TEST(a_worker_waits_on)
{
    queue_open(&queue, 1, 1, true);
    start_waiter(pop);
    CHECK(queue_push(&queue, 1));
    CHECK_NUMBER(result_of_waiter(), 1);
    queue_free(&queue);
}

TEST(a_worker_waits_on_until_close)
{
    queue_open(&queue, 1, 1, true);
    start_waiter(pop);
    queue_close(&queue);
    CHECK_NUMBER(result_of_waiter(), -1);
    queue_free(&queue);
}

TEST(the_pusher_waits_on)
{
    queue_open(&queue, 1, 1, true);
    CHECK(queue_push(&queue, 1));
    start_waiter(push);
    CHECK_NUMBER(queue_pop(&queue), 1);
    CHECK_NUMBER(queue_pop(&queue), 2);
    CHECK_NUMBER(result_of_waiter(), true);
    queue_free(&queue);
}

TEST(the_start_waits_on_for_all_workers)
{
    pthread_t worker;
    queue_open(&queue, 1, 1, true);
    start_waiter(await_workers);
    pthread_create(&worker, NULL, pop_until_close, NULL);
    CHECK_NUMBER(result_of_waiter(), 0);
    queue_close(&queue);
    pthread_join(worker, NULL);
    queue_free(&queue);
}

/* --- the slots ---------------------------------------------------------- */

static int take_slot(void)
{
    slots_take();
    return 0;
}

static int await_all_slots(void)
{
    slots_await_all();
    return 0;
}

TEST(a_thread_waits_on_for_a_slot)
{
    slots_open(1);
    slots_take();
    start_waiter(take_slot);
    slots_give();
    CHECK_NUMBER(result_of_waiter(), 0);
}

TEST(the_end_waits_on_for_all_slots)
{
    slots_open(2);
    slots_take();
    slots_take();
    start_waiter(await_all_slots);
    slots_give();
    slots_give();
    CHECK_NUMBER(result_of_waiter(), 0);
}
