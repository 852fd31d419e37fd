/* Policies: lab 3 with a line that is served by a chosen rule.
 * What its clients see: fcfs serves them in the order in which they came, sjf
 * the one with the shortest job first, however long others have waited; with
 * own, each is given to a worker by lot and waits for that one.
 *
 * How long a job is must be known before it is done: it is read from the
 * request before that is taken, as N in /sleep/N or /burn/N; any other job
 * counts as 0. So this is for http, where the client speaks first and the
 * kernel keeps it until it has. */
#include "descriptors.h"
#include "loop/skeleton.h"

enum { ANY = -1 };

/* In the order in which they came; there is room for all sockets. */
static struct job {
    int client, worker; /* that is to do it, or ANY */
    long ms;            /* 0 if it does not matter */
} line[MAX_DESCRIPTORS];
static int waiting;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *policy = "fcfs";

static long peek_ms(int client)
{
    char head[64] = "";
    recv(client, head, sizeof head - 1, MSG_PEEK | MSG_DONTWAIT);
    const char *work = strstr(head, " /sleep/");
    work = work != NULL ? work : strstr(head, " /burn/");
    return work != NULL ? strtol(strchr(work + 2, '/') + 1, NULL, 10) : 0;
}

/* The place of the job that this worker should do next; waiting if none. */
static int choose(int worker)
{
    int chosen = waiting;
    for (int i = 0; i < waiting; i++)
        if ((line[i].worker == ANY || line[i].worker == worker) &&
            (chosen == waiting || line[i].ms < line[chosen].ms))
            chosen = i;
    return chosen;
}

/* Returns -1 when the server stops and no job is left. */
static int take(int worker)
{
    int place;
    pthread_mutex_lock(&lock);
    while ((place = choose(worker)) == waiting && !stop_requested())
        pthread_cond_wait(&changed, &lock);
    int client = place < waiting ? line[place].client : -1;
    if (client != -1)
        memmove(&line[place], &line[place + 1],
                (size_t)(--waiting - place) * sizeof *line);
    pthread_mutex_unlock(&lock);
    return client;
}

static void *work(void *number)
{
    int client;
    while ((client = take((int)(long)number)) != -1)
        serve_client(client);
    return NULL;
}

static void push(int client)
{
    int worker = policy[0] == 'o' ? (int)(random() % workers) : ANY;
    long ms = policy[0] == 's' ? peek_ms(client) : 0;
    pthread_mutex_lock(&lock);
    line[waiting++] = (struct job){client, worker, ms};
    pthread_cond_broadcast(&changed); /* it may be for a certain worker */
    pthread_mutex_unlock(&lock);
}

int main(int argc, char *argv[])
{
    const struct flag flags[] = {
        workers_flag[0],
        {"policy", "who is served next", .text = &policy,
         .choices = "fcfs|sjf|own"},
        {0},
    };
    service_choose(argc, argv, flags);
    int client, listener = service_listen(SOMAXCONN);
    service_defer_accept(listener);
    start_threads(workers, work);
    service_announce("policies", listener, "%d threads, %s", workers, policy);
    while ((client = tcp_accept(listener)) != -1)
        push(client);
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return finish();
}
