/* Stress: many clients, each a thread, connect at the same moment. The table
 * shows for each when it was connected, when it was greeted, and when it was
 * done. Ctrl-C shows the table as it is then. */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "descriptors.h"
#include "flags.h"
#include "quota.h"
#include "reader.h"
#include "tcp.h"
#include "text.h"
#include "wait.h"
#include "write.h"

/* Without any progress, until one is told so; "sleep 1000" is no reason. */
#define TELL_NS (1500 * NS_PER_MS)

enum {
    MAX_CLIENTS = 10000,
    MAX_SAYING = 1024,
    MAX_ANSWER = 2048,
    MAX_FAILURE = 200,
    MAX_QUOTED = 48,
    STACK_SIZE = 256 * 1024,
    OWN_DESCRIPTORS = 10, /* the standard ones, a pipe, what libraries open */
    TABLE_WIDTH = 47,     /* the columns before the bar */
    MIN_BAR = 20,
    MAX_BAR = 100,
};

struct customer {
    int number;
    pthread_t thread;
    int64_t started, connected, greeted, done; /* now_ns(); 0: not yet */
    bool has_ended;
    char failure[MAX_FAILURE]; /* empty: all went well */
};

static const struct addrinfo *addresses;
static const char *saying = "sleep 100";
static int64_t patience = 60 * NS_PER_S;

/* The gate: customers wait until all are there and it opens. The lock guards
 * what is written of customers, too. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int at_gate, ended_count;
static int64_t last_progress;
static bool is_open, has_told_echo;
static int wake_pipe[2]; /* from the last customer, or Ctrl-C, to main */

static void wait_at_gate(void)
{
    pthread_mutex_lock(&lock);
    at_gate++;
    pthread_cond_broadcast(&changed);
    while (!is_open)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void open_gate_for(int count)
{
    pthread_mutex_lock(&lock);
    while (at_gate < count)
        pthread_cond_wait(&changed, &lock);
    is_open = true;
    last_progress = now_ns();
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Sets one of the times of a customer. */
static void mark(int64_t *moment)
{
    pthread_mutex_lock(&lock);
    *moment = last_progress = now_ns();
    pthread_mutex_unlock(&lock);
}

static void wake_main(void)
{
    ssize_t written = write(wake_pipe[1], "", 1);
    (void)written; /* two bytes at most are ever written */
}

/* --- one customer ------------------------------------------------------- */

/* Says once that this server shows no queue. */
static void tell_echo(void)
{
    pthread_mutex_lock(&lock);
    if (!has_told_echo) {
        printf("this server only echoes, so that there is no DMV problem to "
               "see; start it with: server desk\n\n");
        fflush(stdout);
    }
    has_told_echo = true;
    pthread_mutex_unlock(&lock);
}

/* Reads a line without its end. Returns NULL, or what went wrong. */
static const char *read_answer(struct reader *in, char **line)
{
    ssize_t length = reader_line(in, MAX_ANSWER, line);
    if (length == -1)
        return tcp_reason(errno);
    if (length == 0)
        return "the server closed the connection";
    if ((*line)[length - 1] != '\n')
        return "the answer was cut off";
    struct text text = {*line, (size_t)length};
    (*line)[text_without_end(text).length] = '\0';
    bool is_busy = strncmp(*line, "busy", strlen("busy")) == 0;
    return is_busy ? "was told that the server is busy" : NULL;
}

/* Discards the bytes that follow an answer such as "ok bytes 4000". */
static const char *skip_bytes(struct reader *in, size_t count)
{
    while (in->end - in->start < count) {
        count -= in->end - in->start;
        in->start = in->end = 0;
        ssize_t size = reader_fill(in);
        if (size <= 0)
            return size == 0 ? "the answer was cut off" : tcp_reason(errno);
    }
    in->start += count;
    return NULL;
}

/* What the desk answers to a request that it can fulfil: the name and the first
 * number, as a number ("sleep 010" is 10); all of an echo; to quit, bye. */
static void expect_of_desk(char expected[MAX_ANSWER], const char *words)
{
    size_t length = strcspn(words, " ");
    if (strcmp(words, "quit") == 0)
        snprintf(expected, MAX_ANSWER, "bye");
    else if (strncmp(words, "echo ", strlen("echo ")) == 0)
        snprintf(expected, MAX_ANSWER, "ok %s", words);
    else
        snprintf(expected, MAX_ANSWER, "ok %.*s %ld", (int)length, words,
                 strtol(words + length, NULL, 10));
}

static const char *tell_wrong(char failure[MAX_FAILURE], const char *asked,
                              const char *got, const char *expected)
{
    snprintf(failure, MAX_FAILURE,
             "a wrong answer: asked \"%.*s\", got \"%.*s\", expected "
             "\"%.*s\"",
             MAX_QUOTED, asked, MAX_QUOTED, got, MAX_QUOTED, expected);
    for (char *c = failure; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '\x7f')
            *c = '?';
    return failure;
}

/* Sends a line and reads the answer, which must be that line, as of echo, or
 * what the desk answers. Returns NULL, or what went wrong; failure has room for
 * that. */
static const char *ask(struct reader *in, const char *words,
                       char failure[MAX_FAILURE])
{
    char line[MAX_SAYING + 2], expected[MAX_ANSWER];
    char *answer;
    int length = snprintf(line, sizeof line, "%s\n", words);
    if (write_all(in->client, line, (size_t)length) == -1)
        return tcp_reason(errno);
    const char *reason = read_answer(in, &answer);
    if (reason != NULL)
        return reason;
    if (strcmp(answer, words) == 0) {
        tell_echo();
        return NULL;
    }
    expect_of_desk(expected, words);
    if (strcmp(answer, expected) != 0)
        return tell_wrong(failure, words, answer, expected);
    bool has_bytes = strncmp(words, "bytes ", strlen("bytes ")) == 0;
    return has_bytes
               ? skip_bytes(in, strtoul(words + strlen("bytes "), NULL, 10))
               : NULL;
}

/* A visit: be greeted, ask what all ask, and get one's own token back. Returns
 * as ask does. */
static const char *visit(struct customer *self, int server,
                         char failure[MAX_FAILURE])
{
    struct reader in;
    char *greeting;
    char token[64];

    mark(&self->connected);
    reader_open(&in, server);
    const char *reason = read_answer(&in, &greeting);
    if (reason != NULL)
        return reason;
    mark(&self->greeted);
    reason = ask(&in, saying, failure);
    if (reason != NULL || strcmp(saying, "quit") == 0)
        return reason;
    snprintf(token, sizeof token, "echo customer %d of process %ld",
             self->number, (long)getpid());
    return ask(&in, token, failure);
}

static void end(struct customer *self, const char *reason)
{
    pthread_mutex_lock(&lock);
    self->done = last_progress = now_ns();
    self->has_ended = true;
    if (reason != NULL)
        snprintf(self->failure, MAX_FAILURE, "%s", reason);
    if (++ended_count == at_gate)
        wake_main();
    pthread_mutex_unlock(&lock);
}

static void *run_customer(void *argument)
{
    struct customer *self = argument;
    char failure[MAX_FAILURE];
    wait_at_gate();
    mark(&self->started);
    int server = tcp_connect(addresses, now_ns() + patience);
    if (server == -1) {
        end(self, tcp_reason(errno));
        return NULL;
    }
    end(self, visit(self, server, failure));
    close(server);
    return NULL;
}

/* --- the table ---------------------------------------------------------- */

/* By the moment they were greeted; those that never were come last. */
static int compare_greeted(const void *left, const void *right)
{
    const struct customer *a = left, *b = right;
    int64_t when_a = a->greeted != 0 ? a->greeted : NEVER;
    int64_t when_b = b->greeted != 0 ? b->greeted : NEVER;
    if (when_a != when_b)
        return when_a < when_b ? -1 : 1;
    return a->number - b->number;
}

/* Writes a duration in the unit that suits it. */
static const char *duration(char text[16], int64_t ns)
{
    if (ns < NS_PER_S)
        snprintf(text, 16, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(text, 16, "%.2f s", (double)ns / 1e9);
    return text;
}

static int bar_width(void)
{
    struct winsize window = {0};
    int width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0
                    ? (int)window.ws_col - TABLE_WIDTH
                    : 80 - TABLE_WIDTH;
    return width < MIN_BAR ? MIN_BAR : width > MAX_BAR ? MAX_BAR : width;
}

/* One row: dots for the time of waiting, hashes for that of being served. */
static void print_row(const struct customer *customer, int64_t begin,
                      int64_t end, int width)
{
    char connected[16], greeted[16], done[16], bar[MAX_BAR + 2];
    if (*customer->failure != '\0') {
        printf("%6d  %s\n", customer->number, customer->failure);
        return;
    }
    double columns_per_ns = (double)width / (double)(end - begin);
    int length = (int)((double)(customer->done - begin) * columns_per_ns);
    int waited = (int)((double)(customer->greeted - begin) * columns_per_ns);
    memset(bar, '#', sizeof bar);
    memset(bar, '.', (size_t)waited);
    bar[length > waited ? length : waited + 1] = '\0';
    printf("%6d  %10s  %10s  %10s  |%s\n", customer->number,
           duration(connected, customer->connected - begin),
           duration(greeted, customer->greeted - begin),
           duration(done, customer->done - begin), bar);
}

/* Prints the table and the closing sentence. Returns how many were served. */
static int print_table(struct customer *customers, int count)
{
    int64_t begin = NEVER, end = 0, last_start = 0;
    int64_t first_greeted = NEVER, last_greeted = 0; /* of those served */
    int served = 0;
    qsort(customers, (size_t)count, sizeof *customers, compare_greeted);
    for (int i = 0; i < count; i++) {
        const struct customer *customer = &customers[i];
        if (customer->started < begin)
            begin = customer->started;
        if (customer->started > last_start)
            last_start = customer->started;
        if (customer->done > end)
            end = customer->done;
        if (*customer->failure != '\0')
            continue;
        served++;
        if (customer->greeted < first_greeted)
            first_greeted = customer->greeted;
        if (customer->greeted > last_greeted)
            last_greeted = customer->greeted;
    }

    printf("client   connected     greeted        done  "
           "|. waiting  # being served\n");
    int width = bar_width();
    for (int i = 0; i < count; i++)
        print_row(&customers[i], begin, end, width);

    char within[16], first[16], last[16], whole[16];
    if (served > 0)
        printf("\n%d %s came within %s and asked for \"%s\": the first was "
               "greeted after\n%s, the last after %s, and the whole took %s.\n",
               count, count == 1 ? "customer" : "customers",
               duration(within, last_start - begin), saying,
               duration(first, first_greeted - begin),
               duration(last, last_greeted - begin),
               duration(whole, end - begin));
    return served;
}

static void start_customers(struct customer *customers, int count)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_SIZE);
    for (int i = 0; i < count; i++) {
        customers[i].number = i + 1;
        errno = pthread_create(&customers[i].thread, &small, run_customer,
                               &customers[i]);
        if (errno != 0)
            err(EXIT_FAILURE,
                "cannot start thread %d of %d (more: ulimit -u, or ask for "
                "less)",
                i + 1, count);
    }
    pthread_attr_destroy(&small);
}

/* --- waiting for them --------------------------------------------------- */

static volatile sig_atomic_t was_interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    was_interrupted = 1;
    wake_main();
    signal(SIGINT, SIG_DFL);
}

/* Waits until all have ended, or for Ctrl-C, and says when nothing happens. */
static void await_customers(int count)
{
    bool has_told = false;
    while (wait_for(wake_pipe[0], POLLIN, now_ns() + TELL_NS, false) == LATE) {
        pthread_mutex_lock(&lock);
        bool stands_still = now_ns() - last_progress >= TELL_NS;
        int left = count - ended_count;
        pthread_mutex_unlock(&lock);
        if (stands_still && !has_told && left > 0)
            fprintf(stderr,
                    "waiting for %d of %d customers (Ctrl-C shows the table)\n",
                    left, count);
        has_told |= stands_still;
    }
}

/* The customers for the table: a copy, for on Ctrl-C their threads still run.
 * Of each that has not ended it says how far it came. */
static void copy_customers(struct customer *copy,
                           const struct customer *customers, int count)
{
    pthread_mutex_lock(&lock);
    memcpy(copy, customers, (size_t)count * sizeof *copy);
    for (int i = 0; i < count; i++) {
        if (copy[i].has_ended)
            continue;
        copy[i].done = now_ns();
        snprintf(copy[i].failure, MAX_FAILURE, "interrupted: %s",
                 copy[i].greeted != 0     ? "was being served"
                 : copy[i].connected != 0 ? "was connected and not greeted"
                                          : "was not connected");
    }
    pthread_mutex_unlock(&lock);
}

/* Prints what each customer saw. Returns the exit status. */
static int report(struct customer *customers, int count)
{
    int served = print_table(customers, count);
    if (fflush(stdout) != 0)
        err(EXIT_FAILURE, "cannot write to standard output");
    if (served < count)
        fprintf(stderr, "stress: %d of %d customers were not served\n",
                count - served, count);
    return served == count ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Lets count customers in and reports. On Ctrl-C it does not wait for them. */
static int run_all(int count)
{
    struct customer *customers = calloc((size_t)count, sizeof *customers);
    struct customer *table = calloc((size_t)count, sizeof *table);
    if (customers == NULL || table == NULL || pipe(wake_pipe) == -1)
        err(EXIT_FAILURE, "cannot prepare %d customers", count);
    start_customers(customers, count);
    signal(SIGINT, on_interrupt);
    open_gate_for(count);
    await_customers(count);
    copy_customers(table, customers, count);
    if (was_interrupted)
        _exit(report(table, count));
    for (int i = 0; i < count; i++)
        pthread_join(customers[i].thread, NULL);
    int status = report(table, count);
    free(customers);
    free(table);
    return status;
}

/* Says before the first customer comes what will be too little for all. */
static void check_limits(int count)
{
    char asked[sizeof "--clients=" + 10];
    snprintf(asked, sizeof asked, "--clients=%d", count);
    descriptors_raise_limit(count + OWN_DESCRIPTORS);
    quota_check(DESCRIPTORS, asked, count + OWN_DESCRIPTORS,
                "some customers will fail");
    quota_check(THREADS, asked, count, "some customers cannot be started");
    quota_check(PORTS, asked, count, "some customers will fail");
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1";
    int port = 9000, count = 20;
    const struct flag flags[] = {
        {"host", "server's address or name", .text = &host},
        {"port", "server's port", .number = &port, .min = 1, .max = 65535},
        {"clients", "how many customers", .number = &count, 1, MAX_CLIENTS},
        {"say", "what each asks for, in one line", .text = &saying},
        {"patience", "how long each waits for a word",
         .duration_ns = &patience},
        {0},
    };
    if (flags_parse(argc, argv, flags, "", "") > 0)
        errx(EXIT_USAGE, "%s: unexpected; --host and --port say where to go",
             argv[1]);
    if (strlen(saying) > MAX_SAYING || strchr(saying, '\n') != NULL)
        errx(EXIT_USAGE, "--say: one line of at most %d bytes", MAX_SAYING);
    descriptors_need_output();
    descriptors_open_standard();
    signal(SIGPIPE, SIG_IGN); /* a server that closed is a failed write */
    check_limits(count);
    wait_limits = (struct wait_limits){
        .idle_ns = patience, .request_ns = patience, .write_ns = patience};
    struct addrinfo *list = address_resolve(host, port);
    addresses = list;
    int status = run_all(count);
    freeaddrinfo(list);
    return status;
}
