/* The load generator: sends clients to a server by a schedule, and keeps one
 * record of each attempt, whatever became of it; records.h says what the stamps
 * mean. A failure is a row like any other, not an error of this program.
 *
 * One thread, and one loop that waits in one place (events.h). */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "addresses.h"
#include "clients.h"
#include "clock.h"
#include "descriptors.h"
#include "events.h"
#include "plan.h"
#include "records.h"
#include "schedule.h"
#include "states.h"
#include "words.h"

enum {
    EXIT_SIGNAL = 128,   /* plus the signal's number, as a shell counts */
    STARTS_AT_ONCE = 16, /* when late: between two looks at the sockets */
};

#define LEAD_NS (5 * NS_PER_MS) /* from all being ready to the first start */

static int64_t stay_ends = NEVER; /* hold, slow */

/* ---- The loop ---- */

static void start_due_clients(void)
{
    int most = plan.rate == 0 ? plan.clients : STARTS_AT_ONCE;
    for (int i = 0; i < most && schedule_next() <= now_ns(); i++)
        clients_start(schedule_take());
}

/* hold, slow: says that all are in position, or never will be; from now on they
 * stay. */
static void begin_stay(void)
{
    stay_ends = deadline_after(plan.duration_ns);
    if (plan.output == NULL)
        return; /* standard output is for the records */
    printf("holding %" PRId64 "\n", clients_in_position());
    if (fflush(stdout) != 0)
        err(EXIT_FAILURE, "cannot write to standard output");
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void handle_events(void)
{
    struct client *ready[EVENTS_AT_ONCE];
    int64_t due = earlier(schedule_next(), states_next_due());
    int count = events_wait(ready, earlier(due, stay_ends));
    for (int i = 0; i < count; i++)
        clients_handle(ready[i]);
}

static bool is_over(void)
{
    bool is_empty = schedule_next() == NEVER && clients_active() == 0;
    return events_signal() != 0 || is_empty || now_ns() >= stay_ends;
}

static void run_schedule(void)
{
    while (!is_over()) {
        handle_events();
        clients_handle_due();
        start_due_clients();
        if (plan.mode->stays && stay_ends == NEVER &&
            clients_settled() == plan.clients)
            begin_stay();
    }
}

/* ---- Before and after ---- */

/* Sleeps without epoll, which would report sockets that are not connected. */
static void sleep_until(int64_t moment)
{
    struct timespec until = {.tv_sec = (time_t)(moment / NS_PER_S),
                             .tv_nsec = (long)(moment % NS_PER_S)};
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

/* SIGTERM is the ordinary end of hold and slow. */
static int find_exit_status(void)
{
    int signal = events_signal();
    if (signal == 0 || (plan.mode->stays && signal == SIGTERM))
        return EXIT_SUCCESS;
    return EXIT_SIGNAL + signal;
}

/* Where the records are not, so that neither is mixed with the other. */
static void write_results(FILE *output)
{
    struct words words = {
        .is_json = plan.is_json,
        .is_closed_loop = plan.mode->repeats,
        .series_ns = plan.series_ns,
    };
    bool has_words_only = plan.is_json && plan.output == NULL;
    if (!has_words_only)
        records_write(output);
    words_write(plan.output != NULL || has_words_only ? stdout : stderr,
                &words);
}

static void summarise_files(void)
{
    for (char **file = plan.files; *file != NULL; file++) {
        records_read(*file);
        words_write(stdout, &(struct words){.title = *file,
                                            .is_json = plan.is_json,
                                            .series_ns = plan.series_ns});
    }
}

static int run(void)
{
    FILE *output = open_output();
    addresses_find();
    addresses_check(descriptors_raise_limit(INT_MAX));
    events_open();
    open_schedule();
    run_schedule();
    clients_close_records();
    write_results(output);
    if (fclose(output) != 0)
        err(EXIT_FAILURE, "cannot write the records");
    return find_exit_status();
}

int main(int argc, char *argv[])
{
    plan_read(argc, argv);
    if (!plan.mode->summarises)
        return run();
    summarise_files();
    return EXIT_SUCCESS;
}
