/* Visits live in a table with a place for each descriptor. Whoever holds the
 * socket owns its place. The lock guards the sums, and hands a place over from
 * the thread that ends a visit to the one that accepts the next: that they got
 * the same number only one after the other is known to the kernel alone. */

#include "visit.h"

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "say.h"
#include "stop.h"
#include "tcp.h"

enum place { ELSEWHERE, BETWEEN_REQUESTS, IN_REQUEST };

struct visit {
    long number;
    int64_t accepted, begun; /* now_ns(); 0: not yet */
    int port;
    int worker; /* who served it; 0: nobody */
    _Atomic enum place place;
};

enum { MOST_DESCRIPTORS = 65536 };

static struct visit *visits; /* indexed by socket */
static int visits_length;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long accepted_count;
static long sums[LOST + 1]; /* visits by outcome */
static int at_once, most_at_once;

static FILE *trace_file;
static const char *const outcome_names[] = {
    [SERVED] = "served",
    [REFUSED] = "refused",
    [TIMED_OUT] = "timed-out",
    [LOST] = "lost",
};

/* Threads are numbered 1, 2, ... in the order of their first visit. */
static int this_worker(void)
{
    static atomic_int last;
    static _Thread_local int number;
    if (number == 0)
        number = atomic_fetch_add(&last, 1) + 1;
    return number;
}

/* A standard descriptor that is closed would be given to the next socket, and
 * what is meant for people would go to a client. */
static void open_standard_descriptors(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd != -1 && fd <= STDERR_FILENO);
    if (fd == -1)
        err(EXIT_FAILURE, "cannot open /dev/null");
    close(fd);
}

static void open_trace(const char *path)
{
    trace_file = fopen(path, "w");
    if (trace_file == NULL)
        err(EXIT_FAILURE, "cannot open the trace %s", path);
    fcntl(fileno(trace_file), F_SETFD, FD_CLOEXEC);
    setvbuf(trace_file, NULL, _IOLBF,
            0); /* a row is there once it is written */
    if (fputs("client,port,accepted,begun,ended,worker,outcome\n",
              trace_file) == EOF)
        err(EXIT_FAILURE, "cannot write the trace %s", path);
}

void visits_open(const char *trace)
{
    open_standard_descriptors();
    visits_length = tcp_raise_descriptor_limit(MOST_DESCRIPTORS);
    visits = calloc((size_t)visits_length, sizeof *visits);
    if (visits == NULL)
        err(EXIT_FAILURE, "cannot prepare for %d clients", visits_length);
    if (trace != NULL)
        open_trace(trace);
}

void visit_accept(int client, int port)
{
    struct visit *visit = &visits[client];
    pthread_mutex_lock(&lock);
    visit->number = ++accepted_count;
    visit->port = port;
    visit->accepted = now_ns();
    visit->begun = 0;
    visit->worker = 0;
    pthread_mutex_unlock(&lock);
}

long visit_begin(int client)
{
    pthread_mutex_lock(&lock);
    if (++at_once > most_at_once)
        most_at_once = at_once;
    pthread_mutex_unlock(&lock);
    visits[client].begun = now_ns();
    visits[client].worker = this_worker();
    return visits[client].number;
}

void visit_in_request(int client, bool is_in_request)
{
    if (client < visits_length)
        atomic_store(&visits[client].place,
                     is_in_request ? IN_REQUEST : BETWEEN_REQUESTS);
}

static void write_row(const struct visit *visit, enum outcome outcome)
{
    if (fprintf(trace_file,
                "%ld,%d,%" PRId64 ",%" PRId64 ",%" PRId64 ",%d,%s\n",
                visit->number, visit->port, visit->accepted, visit->begun,
                now_ns(), visit->worker, outcome_names[outcome]) < 0)
        say_trouble("cannot write to the trace");
}

void visit_end(int client, enum outcome outcome)
{
    atomic_store(&visits[client].place, ELSEWHERE);
    pthread_mutex_lock(&lock);
    sums[outcome]++;
    if (visits[client].begun != 0)
        at_once--;
    if (trace_file != NULL)
        write_row(&visits[client], outcome);
    pthread_mutex_unlock(&lock);
}

int visits_in_request(void)
{
    int count = 0;
    for (int client = 0; client < visits_length; client++)
        count += atomic_load(&visits[client].place) == IN_REQUEST;
    return count;
}

/* One who leaves the place after this look finds that a stop was asked for, and
 * closes. If that has happened already, and its number was given to a file, the
 * call fails; clients are not accepted any more. */
void visits_hang_up(void)
{
    for (int client = 0; client < visits_length; client++)
        if (atomic_load(&visits[client].place) == BETWEEN_REQUESTS)
            shutdown(client, SHUT_RD);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int visits_report(void)
{
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    pthread_mutex_lock(&lock);
    say("clients: %ld served, %ld refused, %ld timed out, %ld lost; "
        "at most %d at once; CPU %.3f s user, %.3f s system",
        sums[SERVED], sums[REFUSED], sums[TIMED_OUT], sums[LOST], most_at_once,
        seconds(used.ru_utime), seconds(used.ru_stime));
    pthread_mutex_unlock(&lock);
    return stop_status();
}
