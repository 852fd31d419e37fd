/* The bounded queue of labs 3 and 4: what any right queue does, told by calling
 * it. Nothing here looks into it; only how many threads are blocked in a wait
 * is counted, from outside. */

#include "lab3-thread-pool/queue.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "check.h"

enum { PUSHED = 20000, MANY_WORKERS = 16 };

static struct queue queue;
static atomic_int blocked; /* threads that wait for a condition variable */

/* In the place of the C library's, for the queue as well. */
int pthread_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    struct timespec far = {.tv_sec = time(NULL) + 3600};
    atomic_fetch_add(&blocked, 1);
    int result = pthread_cond_timedwait(condition, mutex, &far);
    atomic_fetch_sub(&blocked, 1);
    return result;
}

static void await_blocked(int count)
{
    while (atomic_load(&blocked) < count)
        sched_yield();
}

TEST(queues_first_in_first_out)
{
    queue_open(&queue, 3, 1, true);
    for (int client = 10; client < 13; client++)
        CHECK(queue_push(&queue, client));
    for (int client = 10; client < 13; client++)
        CHECK_NUMBER(queue_pop(&queue), client);
    queue_free(&queue);
}

/* Both counters only grow, far past the length of the ring, and nothing needs
 * to be reset. */
TEST(counters_may_grow_for_ever)
{
    queue_open(&queue, 2, 1, true);
    for (int client = 0; client < 1000; client++) {
        CHECK(queue_push(&queue, client));
        CHECK(queue_push(&queue, client + 1));
        CHECK_NUMBER(queue_pop(&queue), client);
        CHECK_NUMBER(queue_pop(&queue), client + 1);
    }
    queue_free(&queue);
}

/* A worker that takes clients until there are none, and counts them. */
struct worker {
    pthread_t thread;
    long taken, sum;
    int ended; /* times that pop said -1 */
};

static void *take_until_closed(void *argument)
{
    struct worker *self = argument;
    int client;
    while ((client = queue_pop(&queue)) != -1) {
        self->taken++;
        self->sum += client;
    }
    self->ended++;
    return NULL;
}

static void start_workers(struct worker *workers, int count)
{
    for (int i = 0; i < count; i++) {
        workers[i] = (struct worker){0};
        pthread_create(&workers[i].thread, NULL, take_until_closed,
                       &workers[i]);
    }
}

static struct worker join_workers(struct worker *workers, int count)
{
    struct worker all = {0};
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        all.taken += workers[i].taken;
        all.sum += workers[i].sum;
        all.ended += workers[i].ended;
    }
    return all;
}

static void *take_one(void *unused)
{
    CHECK(queue_pop(&queue) != -1);
    return unused;
}

/* However slowly the free workers wake up, the whole burst finds a place. */
TEST(free_workers_are_places)
{
    pthread_t first, second;
    queue_open(&queue, 1, 2, false);
    pthread_create(&first, NULL, take_one, NULL);
    pthread_create(&second, NULL, take_one, NULL);
    queue_await_workers(&queue);
    CHECK(queue_push(&queue, 1));
    CHECK(queue_push(&queue, 2));
    CHECK(queue_push(&queue, 3));
    CHECK(!queue_push(&queue, 4));
    pthread_join(first, NULL);
    pthread_join(second, NULL);
    queue_free(&queue);
}

/* One worker has taken a client and not come back: only the queue is left. */
TEST(busy_workers_are_no_places)
{
    queue_open(&queue, 1, 1, false);
    CHECK(queue_push(&queue, 1));
    CHECK_NUMBER(queue_pop(&queue), 1);
    CHECK(queue_push(&queue, 2));
    CHECK(!queue_push(&queue, 3));
    CHECK_NUMBER(queue_pop(&queue), 2);
    CHECK(queue_push(&queue, 4));
    queue_free(&queue);
}

TEST(without_places_only_free_workers_take)
{
    pthread_t worker;
    queue_open(&queue, 0, 1, false);
    CHECK(!queue_push(&queue, 1));
    pthread_create(&worker, NULL, take_one, NULL);
    queue_await_workers(&queue);
    CHECK(queue_push(&queue, 2));
    CHECK(!queue_push(&queue, 3));
    pthread_join(worker, NULL);
    queue_free(&queue);
}

static void *push_three(void *unused)
{
    for (int client = 1; client <= 3; client++)
        CHECK(queue_push(&queue, client));
    return unused;
}

/* The pusher needs places that only popping makes. */
TEST(full_queue_makes_the_pusher_wait)
{
    pthread_t pusher;
    queue_open(&queue, 1, 1, true);
    pthread_create(&pusher, NULL, push_three, NULL);
    for (int client = 1; client <= 3; client++)
        CHECK_NUMBER(queue_pop(&queue), client);
    pthread_join(pusher, NULL);
    queue_free(&queue);
}

TEST(close_leaves_the_line_to_be_served)
{
    queue_open(&queue, 3, 1, true);
    CHECK(queue_push(&queue, 1));
    CHECK(queue_push(&queue, 2));
    queue_close(&queue);
    CHECK_NUMBER(queue_pop(&queue), 1);
    CHECK_NUMBER(queue_pop(&queue), 2);
    CHECK_NUMBER(queue_pop(&queue), -1);
    CHECK_NUMBER(queue_pop(&queue), -1);
    queue_free(&queue);
}

TEST(close_ends_all_workers)
{
    struct worker workers[MANY_WORKERS];
    queue_open(&queue, 1, MANY_WORKERS, true);
    start_workers(workers, MANY_WORKERS);
    await_blocked(MANY_WORKERS);
    queue_close(&queue);
    CHECK_NUMBER(join_workers(workers, MANY_WORKERS).ended, MANY_WORKERS);
    queue_free(&queue);
}

/* More workers than places: many wake up when another has taken the client. If
 * they did not check again, they would take one that is not there, or end. */
TEST(every_client_is_taken_exactly_once)
{
    struct worker workers[MANY_WORKERS];
    queue_open(&queue, 2, MANY_WORKERS, true);
    start_workers(workers, MANY_WORKERS);
    for (int client = 1; client <= PUSHED; client++)
        CHECK(queue_push(&queue, client));
    queue_close(&queue);
    struct worker all = join_workers(workers, MANY_WORKERS);
    CHECK_NUMBER(all.taken, PUSHED);
    CHECK_NUMBER(all.sum, (long)PUSHED * (PUSHED + 1) / 2);
    queue_free(&queue);
}

/* The workers and the pusher. */
enum { ROUNDS = 200, PARTIES = MANY_WORKERS + 1 };

static pthread_mutex_t meeting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER;
static int arrived;

static void meet(void)
{
    pthread_mutex_lock(&meeting);
    int round = arrived++ / PARTIES;
    pthread_cond_broadcast(&arrival);
    while (arrived / PARTIES == round)
        pthread_cond_wait(&arrival, &meeting);
    pthread_mutex_unlock(&meeting);
}

static void *take_and_meet(void *unused)
{
    while (queue_pop(&queue) != -1)
        meet();
    return unused;
}

/* All workers meet in each round, so that each client needs a worker of its
 * own. A client may find others in the line or not, and workers blocked or on
 * their way: however it is, each push wakes one more. */
TEST(no_client_waits_while_a_worker_is_idle)
{
    pthread_t workers[MANY_WORKERS];
    queue_open(&queue, MANY_WORKERS, MANY_WORKERS, true);
    for (int i = 0; i < MANY_WORKERS; i++)
        pthread_create(&workers[i], NULL, take_and_meet, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        for (int client = 0; client < MANY_WORKERS; client++)
            CHECK(queue_push(&queue, client));
        meet();
    }
    queue_close(&queue);
    for (int i = 0; i < MANY_WORKERS; i++)
        pthread_join(workers[i], NULL);
    queue_free(&queue);
}

/* The pusher is blocked for want of a place, and a worker comes that finds the
 * line empty: it is the place. */
TEST(a_worker_that_comes_wakes_the_pusher)
{
    pthread_t pusher;
    queue_open(&queue, 0, 1, true);
    pthread_create(&pusher, NULL, push_three, NULL);
    await_blocked(1);
    for (int client = 1; client <= 3; client++)
        CHECK_NUMBER(queue_pop(&queue), client);
    pthread_join(pusher, NULL);
    queue_free(&queue);
}
