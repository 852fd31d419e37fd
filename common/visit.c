/* A table with a record for each descriptor. The thread that has the socket is
 * the only one that uses its record. The lock protects the sums, and it orders
 * the end of one visit before the begin of the next with the same number: only
 * the kernel knows that close came before accept, the compiler and the CPU do
 * not. */

#include "visit.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "say.h"
#include "stop.h"

enum { MAX_ROW = 256 }; /* under PIPE_BUF: a pipe takes all or nothing */

enum state { NONE, IDLE, IN_REQUEST };

struct visit {
    long number;
    int64_t accepted, begun; /* now_ns(); 0: not yet */
    int port;
    int worker;               /* the thread that served it; 0: none */
    _Atomic enum state state; /* NONE: no service reads from it */
};

static struct visit *visits; /* indexed by socket */
static int visits_length;
static atomic_int used_length; /* records from here on were never used */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long accepted_count;
static long sums[LOST + 1]; /* visits by outcome */
static int waiting, at_once, max_at_once;

static int trace = -1; /* a descriptor; -1: none is written */
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

/* Writing must never wait, for all clients would wait with it. A pipe that no
 * process reads can be opened only for reading, too (ENXIO in fifo(7)). */
static void open_trace(const char *path)
{
    int mode = O_NONBLOCK | O_CLOEXEC;
    trace = open(path, mode | O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (trace == -1 && errno == ENXIO)
        trace = open(path, mode | O_RDWR);
    if (trace == -1)
        err(EXIT_FAILURE, "cannot open the trace %s", path);
    const char head[] = "client,port,accepted,begun,ended,worker,outcome\n";
    if (write(trace, head, strlen(head)) != (ssize_t)strlen(head))
        err(EXIT_FAILURE, "cannot write the trace %s", path);
}

static int count_in_request(void)
{
    int count = 0;
    for (int client = 0; client < used_length; client++)
        count += atomic_load(&visits[client].state) == IN_REQUEST;
    return count;
}

/* Ends the wait of all threads whose client is idle: from now on nothing more
 * can be read from it, as if it had closed. A thread that changes the state
 * after this look finds that a stop was asked for. If it has closed the socket
 * already and the number belongs to a file, shutdown fails; no more clients are
 * accepted. In a signal handler: only what signal-safety(7) allows. */
static void on_stop(void)
{
    for (int client = 0; client < used_length; client++)
        if (atomic_load(&visits[client].state) == IDLE)
            shutdown(client, SHUT_RD);
    int count = count_in_request();
    if (count > 0)
        say_stopping(count);
}

void visits_open(const char *path)
{
    descriptors_open_standard();
    visits_length = descriptors_raise_limit(MAX_DESCRIPTORS);
    visits = calloc((size_t)visits_length, sizeof *visits);
    if (visits == NULL)
        err(EXIT_FAILURE, "cannot prepare for %d clients", visits_length);
    if (path != NULL)
        open_trace(path);
    stop_calls(on_stop);
}

void visit_accept(int client, int port)
{
    struct visit *visit = &visits[client];
    pthread_mutex_lock(&lock);
    if (client >= used_length)
        used_length = client + 1;
    visit->number = ++accepted_count;
    waiting++;
    visit->port = port;
    visit->accepted = now_ns();
    visit->begun = 0;
    visit->worker = 0;
    pthread_mutex_unlock(&lock);
}

long visit_begin(int client)
{
    pthread_mutex_lock(&lock);
    waiting--;
    if (++at_once > max_at_once)
        max_at_once = at_once;
    pthread_mutex_unlock(&lock);
    visits[client].worker = this_worker();
    visits[client].begun = now_ns();
    return visits[client].number;
}

int visits_waiting(void)
{
    pthread_mutex_lock(&lock);
    int count = waiting;
    pthread_mutex_unlock(&lock);
    return count;
}

void visit_in_request(int client, bool is_in_request)
{
    if (client < visits_length)
        atomic_store(&visits[client].state, is_in_request ? IN_REQUEST : IDLE);
}

/* A row that the file does not take whole and at once is lost. */
static void write_row(const struct visit *visit, enum outcome outcome)
{
    char row[MAX_ROW];
    int length = snprintf(
        row, sizeof row, "%ld,%d,%" PRId64 ",%" PRId64 ",%" PRId64 ",%d,%s\n",
        visit->number, visit->port, visit->accepted, visit->begun, now_ns(),
        visit->worker, outcome_names[outcome]);
    for (ssize_t done = 0, written; done < length; done += written)
        if ((written = write(trace, row + done, (size_t)(length - done))) ==
            -1) {
            say_error("cannot write to the trace");
            return;
        }
}

void visit_end(int client, enum outcome outcome)
{
    atomic_store(&visits[client].state, NONE);
    pthread_mutex_lock(&lock);
    sums[outcome]++;
    if (visits[client].begun != 0)
        at_once--;
    else
        waiting--;
    if (trace != -1)
        write_row(&visits[client], outcome);
    pthread_mutex_unlock(&lock);
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
        sums[SERVED], sums[REFUSED], sums[TIMED_OUT], sums[LOST], max_at_once,
        seconds(used.ru_utime), seconds(used.ru_stime));
    pthread_mutex_unlock(&lock);
    return stop_status();
}
