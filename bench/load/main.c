/* The load generator: sends clients to a server by a schedule, and keeps one
 * record of each attempt, whatever became of it; load_records.h says what the
 * stamps mean. A failure is a row like any other, not an error of this program.
 *
 * One thread and one epoll loop, which sleeps to absolute times and never
 * spins: a generator that spins takes the processor from the server. */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "clients.h"
#include "clock.h"
#include "descriptors.h"
#include "plan.h"
#include "records.h"
#include "schedule.h"

enum {
    EXIT_SIGNAL = 128, /* plus the signal's number, as a shell counts */
    EVENTS_AT_ONCE = 64,
    STARTS_AT_ONCE = 16, /* when late: between two looks at what has happened */
};

#define LEAD_NS (5 * NS_PER_MS) /* from all being ready to the first start */

static int epoll, signals;
static int signal_number;         /* the one that came, or 0 */
static int64_t stay_ends = NEVER; /* hold, slow */

/* ---- The loop ---- */

static void start_due_clients(void)
{
    int most = plan.rate == 0 ? plan.clients : STARTS_AT_ONCE;
    for (int i = 0; i < most && schedule_next() <= now_ns(); i++)
        clients_start(schedule_take());
}

/* hold, slow: says that all have come, or will not; from now on they stay. */
static void begin_stay(void)
{
    stay_ends = deadline_after(plan.duration_ns);
    if (plan.output == NULL)
        return; /* standard output has the records */
    printf("holding %" PRId64 "\n", clients_in_place());
    if (fflush(stdout) != 0)
        err(EXIT_FAILURE, "cannot write to standard output");
}

static void take_signal(void)
{
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) == sizeof info)
        signal_number = (int)info.ssi_signo;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Sleeps until something happens or is due, to the nanosecond. */
static int await_events(struct epoll_event events[EVENTS_AT_ONCE])
{
    int64_t due =
        earlier(schedule_next(), earlier(clients_next_due(), stay_ends));
    int64_t now = now_ns(), left = due > now ? due - now : 0;
    struct timespec limit = {.tv_sec = left / NS_PER_S,
                             .tv_nsec = left % NS_PER_S};
    int count = epoll_pwait2(epoll, events, EVENTS_AT_ONCE,
                             due == NEVER ? NULL : &limit, NULL);
    if (count == -1 && errno != EINTR)
        err(EXIT_FAILURE, "cannot wait for events");
    return count;
}

static void handle_events(void)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = await_events(events);
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr == NULL)
            take_signal();
        else
            clients_handle(events[i].data.ptr, events[i].events);
}

static bool is_over(void)
{
    bool is_empty = schedule_next() == NEVER && clients_active() == 0;
    return signal_number != 0 || is_empty || now_ns() >= stay_ends;
}

static void run_schedule(void)
{
    while (!is_over()) {
        handle_events();
        clients_serve_due();
        start_due_clients();
        if (plan.mode->stays && stay_ends == NEVER &&
            clients_settled() == plan.clients)
            begin_stay();
    }
}

/* ---- Getting ready ---- */

/* Signals are read like sockets: epoll_pwait() lets none through for as long as
 * it finds events, and a busy loop always does. */
static void open_signals(void)
{
    struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = NULL};
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGINT);
    sigaddset(&stops, SIGTERM);
    sigprocmask(SIG_BLOCK, &stops, NULL);
    signals = signalfd(-1, &stops, SFD_CLOEXEC);
    if (signals == -1 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, signals, &wanted) == -1)
        err(EXIT_FAILURE, "cannot watch for signals");
    signal(SIGPIPE, SIG_IGN); /* a reader of ours that has gone is an error */
}

static void open_loop(void)
{
    descriptors_raise_limit(INT_MAX);
    prctl(PR_SET_TIMERSLACK, 1UL); /* if it fails, starts are 50 us later */
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll == -1)
        err(EXIT_FAILURE, "cannot make an epoll");
    open_signals();
    clients_open(epoll);
}

/* Sleeps without epoll, which would report sockets that are not connected. */
static void sleep_until(int64_t moment)
{
    struct timespec until = {.tv_sec = moment / NS_PER_S,
                             .tv_nsec = moment % NS_PER_S};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR)
        continue;
}

/* A burst finds its sockets made, so that its clients start in one moment. */
static void open_schedule(void)
{
    if (plan.rate == 0)
        clients_prepare(plan.clients);
    schedule_open(now_ns() + LEAD_NS);
    sleep_until(schedule_next());
    start_due_clients();
}

static FILE *open_output(void)
{
    FILE *output = plan.output != NULL ? fopen(plan.output, "we") : stdout;
    if (output == NULL)
        err(EXIT_FAILURE, "cannot write %s", plan.output);
    return output;
}

/* SIGTERM is the ordinary end of those who only stay. */
static int find_exit_status(void)
{
    if (signal_number == 0 || (plan.mode->stays && signal_number == SIGTERM))
        return EXIT_SUCCESS;
    return EXIT_SIGNAL + signal_number;
}

int main(int argc, char *argv[])
{
    plan_read(argc, argv);
    FILE *output = open_output();
    open_loop();
    open_schedule();
    run_schedule();
    clients_close_records();
    records_write(output);
    return find_exit_status();
}
