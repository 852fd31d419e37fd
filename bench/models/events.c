/* Events: echo written inside out, as a state machine on poll. Where straight
 * code has a stack that remembers how far a conversation is, this has a struct;
 * where that waits, this returns to the loop and must find its way back.
 * What its clients see: the same as of echo on coroutines. */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "refuse.h"
#include "service.h"
#include "services/lines.h"
#include "stop.h"
#include "tcp.h"
#include "visit.h"

enum { MAX_CLIENTS = 10000, LISTENER = 0, STOP = 1, FIRST = 2 };

/* One buffer for both ways: what is sent back is what came. */
static struct client {
    size_t length; /* of the bytes that came and were not sent back */
    size_t
        ready; /* of these: whole lines. 0: it waits for input, else output */
    bool has_ended;
    char bytes[MAX_LINE + sizeof "\r\n" - 1];
} * clients[FIRST + MAX_CLIENTS];
static struct pollfd polled[FIRST + MAX_CLIENTS];
static nfds_t count = FIRST;

static void begin(int fd)
{
    struct client *client =
        count < FIRST + MAX_CLIENTS ? calloc(1, sizeof *client) : NULL;
    if (client == NULL) {
        service_refuse(fd);
        return;
    }
    client->length = client->ready =
        (size_t)snprintf(client->bytes, sizeof client->bytes,
                         "Hello, client %ld.\n", visit_begin(fd));
    clients[count] = client;
    polled[count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

/* words: NULL, or why the client is turned away; then its socket is too. */
static void end(nfds_t i, enum outcome outcome, const char *words)
{
    visit_end(polled[i].fd, outcome);
    if (words != NULL)
        refuse_client(polled[i].fd, words);
    else
        close(polled[i].fd);
    free(clients[i]);
    clients[i] = clients[--count];
    polled[i] = polled[count];
}

/* Only the first line can be too long: behind it there is less room. */
static bool is_too_long(const struct client *client)
{
    const char *lf = memchr(client->bytes, '\n', client->length);
    size_t words = lf != NULL ? (size_t)(lf - client->bytes) : client->length;
    return words - (words > 0 && client->bytes[words - 1] == '\r') > MAX_LINE;
}

/* One step of a client that its socket allows. Returns false when it failed. */
static bool step(struct client *client, int fd)
{
    bool sends = client->ready > 0;
    ssize_t size =
        sends ? send(fd, client->bytes, client->ready, MSG_DONTWAIT)
              : recv(fd, client->bytes + client->length,
                     sizeof client->bytes - client->length, MSG_DONTWAIT);
    if (size == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    if (sends) {
        client->length -= (size_t)size;
        client->ready -= (size_t)size;
        memmove(client->bytes, client->bytes + size, client->length);
    } else {
        client->has_ended = size == 0;
        client->ready = client->length += (size_t)size;
        while (size > 0 && client->ready > 0 &&
               client->bytes[client->ready - 1] != '\n')
            client->ready--; /* half a line waits for its end */
    }
    return true;
}

static void serve(nfds_t i)
{
    struct client *client = clients[i];
    if (!step(client, polled[i].fd)) {
        end(i, LOST, NULL);
    } else if (client->ready == 0 &&
               (client->has_ended ||
                (client->length == 0 && stop_requested()))) {
        end(i, SERVED, NULL);
    } else if (is_too_long(client)) {
        end(i, SERVED, "error line too long: 4096 bytes at most\n");
    } else {
        visit_in_request(polled[i].fd, client->length > 0);
        polled[i].events = client->ready > 0 ? POLLOUT : POLLIN;
    }
}

int main(int argc, char *argv[])
{
    service_choose(argc, argv, NULL);
    if (argv[1] != NULL && strcmp(argv[1], "echo") != 0)
        errx(EXIT_USAGE, "%s: events serves echo only", argv[1]);
    int listener = service_listen(SOMAXCONN);
    polled[LISTENER] = (struct pollfd){.fd = listener, .events = POLLIN};
    polled[STOP] = (struct pollfd){.fd = stop_fd(), .events = POLLIN};
    service_announce("events", listener, "one loop, up to %d clients",
                     MAX_CLIENTS);

    while (!stop_requested() || count > FIRST) {
        int64_t next_look = refuse_look_after();
        int64_t left_ms = (next_look - now_ns()) / NS_PER_MS + 1;
        poll(polled, count,
             next_look == NEVER ? -1
             : left_ms < 0      ? 0
                                : (int)left_ms);
        for (nfds_t i = count - 1; i >= FIRST; i--)
            if (polled[i].revents != 0)
                serve(i);
        if (stop_requested())
            polled[LISTENER].fd = polled[STOP].fd = -1;
        else if (polled[LISTENER].revents != 0)
            begin(tcp_accept(listener)); /* does not wait: one is there */
    }
    refuse_end();
    return visits_report();
}
