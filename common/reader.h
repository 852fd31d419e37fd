/* A reader takes requests from a client's socket: of bounded size, and until a
 * deadline that does not move. */

#ifndef READER_H
#define READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { READER_CAPACITY = 16384, READER_HELD = 2 };

struct reader {
    int client;
    bool has_begun;    /* the first request has */
    size_t start, end; /* bytes[start .. end) have arrived and were not taken */
    int64_t deadline;  /* for the request that has begun */
    bool is_upload;    /* its further bytes extend the deadline */

    /* How it waits for bytes. A service that waits for something else as well
     * sets its own function here, and its argument in waiter. Returns 1; 0 as
     * if the input had ended; -1 with errno (ETIMEDOUT when the deadline has
     * passed). */
    int (*wait)(void *waiter, int64_t deadline);
    void *waiter;

    /* Takes out of each piece that arrives what is not for the service, and
     * returns the size of the rest, at most READER_HELD more; or NULL. Called
     * with filtering. */
    size_t (*filter)(void *filtering, char *bytes, size_t size);
    void *filtering;

    char bytes[READER_CAPACITY + READER_HELD];
};

/* Prepares to read from client. The socket stays the caller's. */
void reader_open(struct reader *in, int client);

/* Waits, for wait_limits.idle_ns at most, until the next request has begun: its
 * first byte is there, and from now on wait_limits.request_ns runs. A stop ends
 * the wait, for the client is idle. Returns 1; 0 at the end of the input or at
 * a stop; -1 with errno (ETIMEDOUT when it was late). While other clients wait,
 * less is left of both limits (patience.h). */
int reader_begin(struct reader *in);

/* Waits as reader_begin does, but needs no reader yet: its memory is wanted
 * only once there is a request. For models where a client that waits costs
 * little else (wait_gives_way). Returns 0 when reader_begin will not wait, -1
 * with errno when the client was late. */
int reader_await(int client);

/* Reads more bytes of the request that has begun. Returns how many; 0 at the
 * end of the input; -1 with errno: ETIMEDOUT when the request was late,
 * EMSGSIZE when it does not fit into the reader. Untaken bytes may move. */
ssize_t reader_fill(struct reader *in);

/* From now until the next request begins, each byte extends the deadline by its
 * time at wait_limits.min_rate, but never beyond wait_limits.request_ns from
 * now: a sender at that rate is never late, and one that was faster has not
 * bought the time to stand still. */
void reader_expect_upload(struct reader *in);

/* Reads the next line of the request that has begun, as reader_line does. */
ssize_t reader_next_line(struct reader *in, size_t longest, char **line);

/* Begins a request that is one line and reads it whole. Points line at it
 * (until the next call) and returns its length with the LF that ends it; a last
 * line cut off by the end of the input has none. Returns 0 and -1 as above;
 * EMSGSIZE for a line of more than longest bytes, CR and LF not counted. */
ssize_t reader_line(struct reader *in, size_t longest, char **line);

#endif
