/* The reader: lines from a socket, however they were cut into segments. */

#include "reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "wait.h"

enum { MAX_LENGTH = 10, FLOOD_SIZE = 3 * READER_CAPACITY };

static struct reader in;
static int far_end; /* what is sent here, the reader reads */

static void open_pair(void)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == -1)
        abort();
    far_end = pair[0];
    wait_limits = (struct wait_limits){0};
    reader_open(&in, pair[1]);
}

static void close_pair(void)
{
    close(far_end);
    close(in.client);
}

static void arrives(const char *bytes)
{
    CHECK_NUMBER(send(far_end, bytes, strlen(bytes), 0), strlen(bytes));
}

static void ends(void)
{
    shutdown(far_end, SHUT_WR);
}

/* The next line must be expected, byte for byte. */
static void check_line(const char *expected)
{
    char *line;
    ssize_t length = reader_line(&in, MAX_LENGTH, &line);
    CHECK_NUMBER(length, strlen(expected));
    CHECK(length > 0 && memcmp(line, expected, strlen(expected)) == 0);
}

static void check_end(void)
{
    char *line;
    CHECK_NUMBER(reader_line(&in, MAX_LENGTH, &line), 0);
}

static void check_failure(int reason)
{
    char *line;
    errno = 0;
    CHECK_NUMBER(reader_line(&in, MAX_LENGTH, &line), -1);
    CHECK_NUMBER(errno, reason);
}

/* --- lines -------------------------------------------------------------- */

TEST(lines_come_one_at_a_time)
{
    open_pair();
    arrives("one\ntwo\r\n\nfour\n");
    ends();
    check_line("one\n");
    check_line("two\r\n");
    check_line("\n");
    check_line("four\n");
    check_end();
    close_pair();
}

TEST(last_line_may_lack_its_end)
{
    open_pair();
    arrives("whole\nhalf");
    ends();
    check_line("whole\n");
    check_line("half");
    check_end();
    close_pair();
}

TEST(nothing_at_all_is_an_end)
{
    open_pair();
    ends();
    check_end();
    check_end();
    close_pair();
}

static void *send_in_pieces(void *unused)
{
    arrives("on");
    arrives("e\ntw");
    arrives("o\r");
    arrives("\n");
    ends();
    return unused;
}

/* Wherever the pieces are cut, and however they arrive, the lines are these. */
TEST(lines_may_come_in_pieces)
{
    pthread_t sender;
    open_pair();
    pthread_create(&sender, NULL, send_in_pieces, NULL);
    check_line("one\n");
    check_line("two\r\n");
    check_end();
    pthread_join(sender, NULL);
    close_pair();
}

static void *send_flood(void *unused)
{
    for (int sent = 0; sent < FLOOD_SIZE; sent += 7)
        arrives("123456\n");
    ends();
    return unused;
}

/* More than the reader holds, in lines that its end would cut. */
TEST(lines_cross_the_border_of_the_reader)
{
    pthread_t sender;
    open_pair();
    pthread_create(&sender, NULL, send_flood, NULL);
    for (int received = 0; received < FLOOD_SIZE; received += 7)
        check_line("123456\n");
    check_end();
    pthread_join(sender, NULL);
    close_pair();
}

TEST(every_byte_but_lf_is_part_of_the_line)
{
    open_pair();
    CHECK_NUMBER(send(far_end, "\0\r\xff\x1b\n", 5, 0), 5);
    char *line;
    CHECK_NUMBER(reader_line(&in, MAX_LENGTH, &line), 5);
    CHECK(memcmp(line, "\0\r\xff\x1b\n", 5) == 0);
    close_pair();
}

/* --- the limit ---------------------------------------------------------- */

TEST(longest_line_passes_with_either_end)
{
    open_pair();
    arrives("0123456789\n0123456789\r\n0123456789");
    ends();
    check_line("0123456789\n");
    check_line("0123456789\r\n");
    check_line("0123456789");
    close_pair();
}

TEST(one_byte_more_is_too_long)
{
    const char *const too_long[] = {"0123456789x\n", "0123456789x\r\n",
                                    "0123456789\rx\n"};
    for (size_t i = 0; i < sizeof too_long / sizeof *too_long; i++) {
        open_pair();
        arrives(too_long[i]);
        check_failure(EMSGSIZE);
        close_pair();
    }
}

/* It does not wait for the end of a line that is too long already. */
TEST(too_long_is_told_before_the_line_ends)
{
    open_pair();
    arrives("0123456789xx");
    check_failure(EMSGSIZE);
    close_pair();
}

TEST(a_request_larger_than_the_reader_is_told)
{
    static char flood[READER_CAPACITY];
    ssize_t size;
    open_pair();
    CHECK_NUMBER(send(far_end, flood, sizeof flood, 0), sizeof flood);
    CHECK_NUMBER(reader_begin(&in), 1);
    while (in.end < sizeof in.bytes && (size = reader_fill(&in)) > 0)
        continue;
    errno = 0;
    CHECK_NUMBER(reader_fill(&in), -1);
    CHECK_NUMBER(errno, EMSGSIZE);
    close_pair();
}

/* --- deadlines ---------------------------------------------------------- */

TEST(silence_is_late)
{
    open_pair();
    wait_limits.idle_ns = 20 * NS_PER_MS;
    struct timeval limit = {.tv_usec = 20000}; /* as tcp_listen does it */
    setsockopt(in.client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int64_t begin = now_ns();
    check_failure(ETIMEDOUT);
    CHECK(now_ns() - begin >= wait_limits.idle_ns);
    close_pair();
}

TEST(half_a_request_is_late)
{
    open_pair();
    wait_limits.request_ns = 20 * NS_PER_MS;
    arrives("half");
    int64_t begin = now_ns();
    check_failure(ETIMEDOUT);
    CHECK(now_ns() - begin >= wait_limits.request_ns);
    CHECK_NUMBER(in.end - in.start, 4);
    close_pair();
}

/* A request that is there is never late, however long nobody looked. */
TEST(what_has_arrived_is_in_time)
{
    open_pair();
    wait_limits.idle_ns = wait_limits.request_ns = 20 * NS_PER_MS;
    arrives("one\ntwo\n");
    check_line("one\n");
    int64_t end = now_ns() + 40 * NS_PER_MS;
    while (now_ns() < end)
        continue;
    check_line("two\n");
    close_pair();
}

static void *dribble(void *unused)
{
    const struct timespec pause = {.tv_nsec = 5 * NS_PER_MS};
    for (int sent = 0; sent < MAX_LENGTH; sent++) {
        arrives("x");
        nanosleep(&pause, NULL); /* this client is slow; it waits for nothing */
    }
    return unused;
}

/* Each byte comes in time, and the request does not: no byte moves its end. */
TEST(no_byte_moves_the_deadline)
{
    pthread_t dribbler;
    open_pair();
    wait_limits.idle_ns = 20 * NS_PER_S;
    wait_limits.request_ns = 20 * NS_PER_MS;
    pthread_create(&dribbler, NULL, dribble, NULL);
    check_failure(ETIMEDOUT);
    CHECK(in.end - in.start < MAX_LENGTH);
    pthread_join(dribbler, NULL);
    close_pair();
}

TEST(each_request_has_a_deadline_of_its_own)
{
    open_pair();
    wait_limits.request_ns = 20 * NS_PER_S;
    arrives("one\ntwo\n");
    check_line("one\n");
    int64_t first = in.deadline;
    check_line("two\n");
    CHECK(in.deadline > first);
    close_pair();
}
