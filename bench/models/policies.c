/* Policies: lab 3 with a line that is served by a chosen rule.
 * What its clients see: fcfs serves them in the order in which they came, sjf
 * the one with the shortest job first, however long others have waited; with
 * own, each is given to a worker by lot and waits for that one.
 *
 * How long a job is must be known before it is done: it is read from the
 * request before that is taken, as N in /sleep/N or /burn/N; any other job
 * counts as 0. So this is for http, where the client speaks first. */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "flags.h"
#include "service.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

enum { MAX_WORKERS = 1000, ANY = -1 };
#define PEEK_NS (10 * NS_PER_MS) /* to wait for a request, and no longer */

struct job {
    int client, worker; /* worker: the one that is to do it, or ANY */
    long ms;
    struct job *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct job *line; /* in the order in which they came */
static bool is_closed;
static const char *policy = "fcfs";
static int count = 16;

static long peek_ms(int client)
{
    char head[64] = "";
    wait_for(client, POLLIN, now_ns() + PEEK_NS, true);
    recv(client, head, sizeof head - 1, MSG_PEEK | MSG_DONTWAIT);
    const char *work = strstr(head, "/sleep/");
    work = work != NULL ? work + strlen("/sleep/") : strstr(head, "/burn/");
    return work != NULL ? strtol(work + strcspn(work, "0123456789"), NULL, 10)
                        : 0;
}

/* Where the job is that this worker should do next; NULL is there if none. */
static struct job **choose(int worker)
{
    struct job **chosen = NULL, **place = &line;
    for (; *place != NULL; place = &(*place)->next)
        if (((*place)->worker == ANY || (*place)->worker == worker) &&
            (chosen == NULL ||
             (policy[0] == 's' && (*place)->ms < (*chosen)->ms)))
            chosen = place;
    return chosen != NULL ? chosen : place;
}

static int take(int worker)
{
    struct job **place, *job;
    pthread_mutex_lock(&lock);
    while (job = *(place = choose(worker)), job == NULL && !is_closed)
        pthread_cond_wait(&changed, &lock);
    if (job != NULL)
        *place = job->next;
    pthread_mutex_unlock(&lock);
    int client = job != NULL ? job->client : -1;
    free(job);
    return client;
}

static void push(int client)
{
    struct job **last = &line, *job = malloc(sizeof *job);
    if (job == NULL) {
        service_refuse(client);
        return;
    }
    int worker = policy[0] == 'o' ? (int)(random() % count) : ANY;
    *job = (struct job){client, worker, peek_ms(client), NULL};
    pthread_mutex_lock(&lock);
    while (*last != NULL)
        last = &(*last)->next;
    *last = job;
    pthread_mutex_unlock(&lock);
    pthread_cond_broadcast(&changed); /* it may be for a certain worker */
}

static void serve_client(int client)
{
    service_talk(client);
    close(client);
}

static void *work(void *number)
{
    int client;
    while ((client = take(*(int *)number)) != -1)
        serve_client(client);
    return NULL;
}

int main(int argc, char *argv[])
{
    const struct flag flags[] = {
        {"workers", "how many threads", .number = &count, 1, MAX_WORKERS},
        {"policy", "who is served next", .text = &policy,
         .choices = "fcfs|sjf|own"},
        {0},
    };
    static int numbers[MAX_WORKERS];
    pthread_t workers[MAX_WORKERS];
    service_choose(argc, argv, flags);
    int client, listener = service_listen(SOMAXCONN);
    for (int i = 0; i < count; i++) {
        numbers[i] = i;
        if ((errno = pthread_create(&workers[i], NULL, work, &numbers[i])) != 0)
            err(EXIT_FAILURE, "cannot start thread %d of %d", i + 1, count);
    }
    service_announce("policies", listener, "%d threads, %s", count, policy);

    while ((client = tcp_accept(listener)) != -1)
        push(client);

    pthread_mutex_lock(&lock);
    is_closed = true;
    pthread_mutex_unlock(&lock);
    pthread_cond_broadcast(&changed);
    for (int i = 0; i < count; i++)
        pthread_join(workers[i], NULL);
    return visits_report();
}
