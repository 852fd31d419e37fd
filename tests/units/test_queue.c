/* The bounded queue of labs 3 and 4. */

#include "lab3-thread-pool/queue.h"

#include <pthread.h>
#include <sched.h>

#include "check.h"

enum { PUSHED = 20000, MANY_WORKERS = 16 };

static struct queue queue;

static void queues_first_in_first_out(void)
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
static void counters_may_grow_for_ever(void)
{
    queue_open(&queue, 2, 1, true);
    for (int client = 0; client < 1000; client++) {
        CHECK(queue_push(&queue, client));
        CHECK(queue_push(&queue, client + 1));
        CHECK_NUMBER(queue_pop(&queue), client);
        CHECK_NUMBER(queue_pop(&queue), client + 1);
    }
    CHECK_NUMBER(queue.pushed, 2000);
    CHECK_NUMBER(queue.popped, 2000);
    queue_free(&queue);
}

/* A worker who takes clients until there are none, and counts them. */
struct worker {
    pthread_t thread;
    long taken, sum;
    int sent_home; /* times that pop said -1 */
};

static void *take_until_closed(void *argument)
{
    struct worker *self = argument;
    int client;
    while ((client = queue_pop(&queue)) != -1) {
        self->taken++;
        self->sum += client;
    }
    self->sent_home++;
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

/* Gives the lock back for a moment. */
static void let_others_run(void)
{
    pthread_mutex_unlock(&queue.lock);
    sched_yield();
    pthread_mutex_lock(&queue.lock);
}

/* Takes the lock when so many workers are in bed and no alarm is ringing: then
 * nobody moves until it is given back. */
static void lock_when_asleep(unsigned long count)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.asleep < count || queue.woken > 0)
        let_others_run();
}

static struct worker join_workers(struct worker *workers, int count)
{
    struct worker all = {0};
    for (int i = 0; i < count; i++) {
        pthread_join(workers[i].thread, NULL);
        all.taken += workers[i].taken;
        all.sum += workers[i].sum;
        all.sent_home += workers[i].sent_home;
    }
    return all;
}

static void *take_one(void *unused)
{
    CHECK(queue_pop(&queue) != -1);
    return unused;
}

/* However slowly the free workers wake up, all of the burst find a place. */
static void free_workers_are_places(void)
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
static void busy_workers_are_no_places(void)
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

static void without_places_only_free_workers_take(void)
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

/* The one who pushes needs places that only popping makes. */
static void full_queue_makes_the_pusher_wait(void)
{
    pthread_t pusher;
    queue_open(&queue, 1, 1, true);
    pthread_create(&pusher, NULL, push_three, NULL);
    for (int client = 1; client <= 3; client++)
        CHECK_NUMBER(queue_pop(&queue), client);
    pthread_join(pusher, NULL);
    queue_free(&queue);
}

static void close_lets_the_line_be_served_first(void)
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

static void close_sends_all_workers_home(void)
{
    struct worker workers[MANY_WORKERS];
    queue_open(&queue, 1, MANY_WORKERS, true);
    start_workers(workers, MANY_WORKERS);
    lock_when_asleep(MANY_WORKERS);
    pthread_mutex_unlock(&queue.lock);
    queue_close(&queue);
    CHECK_NUMBER(join_workers(workers, MANY_WORKERS).sent_home, MANY_WORKERS);
    queue_free(&queue);
}

/* More workers than clients: most wake-ups come too late for a client, and who
 * then does not look again leaves with one that is not there, or goes home. */
static void every_client_is_taken_exactly_once(void)
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

/* Rings the alarm as if a client had come, and somebody else been quicker. Who
 * does not look again goes home, or leaves with a client who is not there. */
static void a_false_alarm_sends_nobody_home(void)
{
    struct worker worker;
    queue_open(&queue, 1, 1, true);
    start_workers(&worker, 1);
    lock_when_asleep(1);
    queue.woken = 1;
    pthread_cond_signal(&queue.not_empty);
    while (queue.woken == 1)
        let_others_run();
    CHECK_NUMBER(queue.asleep, 1);
    pthread_mutex_unlock(&queue.lock);
    queue_close(&queue);
    join_workers(&worker, 1);
    queue_free(&queue);
}

/* All workers and the one who pushes. */
enum { ROUNDS = 200, MEMBERS = MANY_WORKERS + 1 };

static pthread_mutex_t meeting = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t arrival = PTHREAD_COND_INITIALIZER;
static int arrived;

static void meet(void)
{
    pthread_mutex_lock(&meeting);
    int round = arrived++ / MEMBERS;
    pthread_cond_broadcast(&arrival);
    while (arrived / MEMBERS == round)
        pthread_cond_wait(&arrival, &meeting);
    pthread_mutex_unlock(&meeting);
}

static void *take_and_meet(void *unused)
{
    while (queue_pop(&queue) != -1)
        meet();
    return unused;
}

static void open_for_those_who_meet(pthread_t workers[MANY_WORKERS])
{
    queue_open(&queue, MANY_WORKERS, MANY_WORKERS, true);
    for (int i = 0; i < MANY_WORKERS; i++)
        pthread_create(&workers[i], NULL, take_and_meet, NULL);
}

static void close_when_they_have_met(pthread_t workers[MANY_WORKERS],
                                     int rounds)
{
    queue_close(&queue);
    for (int i = 0; i < MANY_WORKERS; i++)
        pthread_join(workers[i], NULL);
    CHECK_NUMBER(queue.popped, rounds * MANY_WORKERS);
    queue_free(&queue);
}

/* All clients come at one instant, all workers are in bed, and one alarm rings:
 * they only meet if each of them wakes the next. */
static void who_is_woken_wakes_the_next(void)
{
    pthread_t workers[MANY_WORKERS];
    open_for_those_who_meet(workers);
    lock_when_asleep(MANY_WORKERS);
    queue.pushed = MANY_WORKERS;
    queue.woken = 1;
    pthread_cond_signal(&queue.not_empty);
    pthread_mutex_unlock(&queue.lock);
    meet();
    close_when_they_have_met(workers, 1);
}

/* The same as it happens: a client may find others in the line or not, and
 * workers asleep, looking again, or on their way. */
static void no_client_waits_while_a_worker_is_idle(void)
{
    pthread_t workers[MANY_WORKERS];
    open_for_those_who_meet(workers);
    for (int round = 0; round < ROUNDS; round++) {
        for (int client = 0; client < MANY_WORKERS; client++)
            CHECK(queue_push(&queue, client));
        meet();
    }
    close_when_they_have_met(workers, ROUNDS);
}

int main(int argc, char *argv[])
{
    const struct test tests[] = {
        TEST(queues_first_in_first_out),
        TEST(counters_may_grow_for_ever),
        TEST(free_workers_are_places),
        TEST(busy_workers_are_no_places),
        TEST(without_places_only_free_workers_take),
        TEST(full_queue_makes_the_pusher_wait),
        TEST(close_lets_the_line_be_served_first),
        TEST(close_sends_all_workers_home),
        TEST(every_client_is_taken_exactly_once),
        TEST(a_false_alarm_sends_nobody_home),
        TEST(who_is_woken_wakes_the_next),
        TEST(no_client_waits_while_a_worker_is_idle),
        {0},
    };
    return run_test(argc, argv, tests);
}
