/* Stress: many customers, each a thread, walk in at the same moment. The table
 * shows for each when it was connected, when a worker took it, and when it left.
 */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "descriptors.h"
#include "flags.h"
#include "reader.h"
#include "tcp.h"
#include "wait.h"
#include "write.h"

enum {
    MAX_CLIENTS = 10000,
    LONGEST_SAYING = 1024,
    LONGEST_ANSWER = 2048,
    STACK_SIZE = 256 * 1024,
    TABLE_WIDTH = 47, /* the columns before the bar */
    MIN_BAR = 20,
    MAX_BAR = 100,
};

struct customer {
    int number;
    pthread_t thread;
    int64_t started, connected, greeted, done; /* now_ns(); 0: it never was */
    const char *failure;                       /* NULL: all went well */
};

static const struct addrinfo *addresses;
static const char *saying = "sleep 100";

/* The gate: customers wait until all are there and it opens. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int at_gate;
static bool is_open;

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
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

/* Reads a line without its end. Returns NULL, or what went wrong. */
static const char *hear(struct reader *in, char **line)
{
    ssize_t length = reader_line(in, LONGEST_ANSWER, line);
    if (length == -1)
        return tcp_reason(errno);
    if (length == 0)
        return "the server closed the connection";
    if ((*line)[length - 1] != '\n')
        return "the answer was cut off";
    (*line)[length - 1] = '\0';
    bool is_busy = strncmp(*line, "busy", strlen("busy")) == 0;
    return is_busy ? "was told that the server is busy" : NULL;
}

/* Reads away the bytes that follow an answer such as "ok bytes 4000". */
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

/* Says a line and hears the answer, which must be the line, as of echo, or the
 * line behind "ok", as of the desk. */
static const char *ask(struct reader *in, const char *words)
{
    char line[LONGEST_SAYING + 2];
    char *answer;
    int length = snprintf(line, sizeof line, "%s\n", words);
    if (write_all(in->client, line, (size_t)length) == -1)
        return tcp_reason(errno);
    const char *failure = hear(in, &answer);
    if (failure != NULL)
        return failure;
    bool is_desk = strncmp(answer, "ok ", strlen("ok ")) == 0;
    if (strcmp(is_desk ? answer + strlen("ok ") : answer, words) != 0)
        return "a wrong answer";
    bool has_bytes = is_desk && strncmp(words, "bytes ", strlen("bytes ")) == 0;
    return has_bytes
               ? skip_bytes(in, strtoul(words + strlen("bytes "), NULL, 10))
               : NULL;
}

/* A visit: connect, be greeted, say the saying, and get one's own token back.
 */
static const char *visit(struct customer *self, int server)
{
    struct reader in;
    char *greeting;
    char token[64];

    self->connected = now_ns();
    reader_open(&in, server);
    const char *failure = hear(&in, &greeting);
    if (failure != NULL)
        return failure;
    self->greeted = now_ns();
    failure = ask(&in, saying);
    if (failure != NULL)
        return failure;
    snprintf(token, sizeof token, "echo customer %d of process %ld",
             self->number, (long)getpid());
    return ask(&in, token);
}

static void *run_customer(void *argument)
{
    struct customer *self = argument;
    wait_at_gate();
    self->started = now_ns();
    int server = tcp_connect(addresses);
    if (server == -1) {
        self->failure = tcp_reason(errno);
        return NULL;
    }
    self->failure = visit(self, server);
    self->done = now_ns();
    close(server);
    return NULL;
}

/* --- the table ---------------------------------------------------------- */

/* By the moment a worker took them; those who were never taken come last. */
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

/* One row: a dot is a moment of waiting, a hash one of being served. */
static void print_row(const struct customer *customer, int64_t begin,
                      int64_t end, int width)
{
    char connected[16], greeted[16], done[16], bar[MAX_BAR + 2];
    if (customer->failure != NULL) {
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
        if (customer->failure != NULL)
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
            err(EXIT_FAILURE, "cannot start thread %d of %d", i + 1, count);
    }
    pthread_attr_destroy(&small);
}

/* Prints what each customer saw. Returns the exit status. */
static int report(struct customer *customers, int count)
{
    int served = print_table(customers, count);
    if (served < count)
        fprintf(stderr, "stress: %d of %d customers were not served\n",
                count - served, count);
    return served == count ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
    const char *host = "127.0.0.1";
    int port = 9000, count = 20;
    int64_t patience = 60 * NS_PER_S;
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
    if (strlen(saying) > LONGEST_SAYING || strchr(saying, '\n') != NULL)
        errx(EXIT_USAGE, "--say: one line of at most %d bytes", LONGEST_SAYING);
    signal(SIGPIPE, SIG_IGN); /* a server that left is a failed write */
    descriptors_raise_limit(MAX_CLIENTS + 100);
    wait_limits = (struct wait_limits){
        .idle_ns = patience, .request_ns = patience, .write_ns = patience};

    struct customer *customers = calloc((size_t)count, sizeof *customers);
    if (customers == NULL)
        err(EXIT_FAILURE, "cannot prepare %d customers", count);
    struct addrinfo *list = tcp_resolve(host, port);
    addresses = list;
    start_customers(customers, count);
    open_gate_for(count);
    for (int i = 0; i < count; i++)
        pthread_join(customers[i].thread, NULL);

    int status = report(customers, count);
    freeaddrinfo(list);
    free(customers);
    return status;
}
