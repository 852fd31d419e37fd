/* Events: echo written inside out, as a state machine on poll. Where straight
 * code has a stack that remembers how far a conversation is, this has a struct;
 * where that waits, this returns to the loop and must find its way back.
 * What its clients see: the same as of echo on coroutines. */
#include <errno.h>
#include <stdio.h>

#include "loop/skeleton.h"
#include "refuse.h"
#include "services/lines.h"

enum { LISTENER, STOP, FIRST, END = 10000, LINGER_MS = 20 };

static struct client {
    size_t length, ready; /* of what came; of its whole lines. 0: it reads */
    bool has_ended;
    char bytes[MAX_LINE + 2]; /* one buffer for both ways, with CR and LF */
} clients[END];
static struct pollfd polled[END];
static nfds_t count = FIRST;

static void end(nfds_t i, enum outcome outcome, const char *last_words)
{
    visit_end(polled[i].fd, outcome);
    refuse_client(polled[i].fd, last_words); /* closes it when it is read */
    clients[i] = clients[--count];
    polled[i] = polled[count];
}

static void begin(int fd)
{
    size_t size = (size_t)snprintf(clients[count].bytes, MAX_LINE,
                                   "Hello, client %ld.\n", visit_begin(fd));
    clients[count].has_ended = false;
    clients[count].length = clients[count].ready = size;
    polled[count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

/* Sends or receives what the socket allows. Returns false when it failed. */
static bool move(struct client *c, int fd)
{
    char *free = c->bytes + c->length;
    ssize_t size = c->ready > 0 ? send(fd, c->bytes, c->ready, MSG_DONTWAIT)
                                : recv(fd, free, sizeof c->bytes - c->length,
                                       MSG_DONTWAIT);
    if (size == -1)
        return errno == EAGAIN || errno == EINTR;
    if (c->ready > 0) {
        memmove(c->bytes, c->bytes + size, c->length -= (size_t)size);
        c->ready -= (size_t)size;
    } else {
        c->has_ended = size == 0;
        c->ready = c->length += (size_t)size;
        while (size > 0 && c->ready > 0 && c->bytes[c->ready - 1] != '\n')
            c->ready--; /* half a line waits for its end */
    }
    return true;
}

/* Only the first line can be too long: behind it there is less room. */
static bool is_too_long(const struct client *c)
{
    const char *over = c->bytes + MAX_LINE;
    return c->length > MAX_LINE && !memchr(c->bytes, '\n', MAX_LINE + 1) &&
           (over[0] != '\r' || (c->length > MAX_LINE + 1 && over[1] != '\n'));
}

static void serve(nfds_t i)
{
    struct client *c = &clients[i];
    if (!move(c, polled[i].fd))
        end(i, LOST, "");
    else if (is_too_long(c))
        end(i, SERVED, "error line too long: 4096 bytes at most\n");
    else if (c->ready == 0 &&
             (c->has_ended || (c->length == 0 && stop_requested())))
        end(i, SERVED, "");
    else {
        visit_in_request(polled[i].fd, c->length > 0);
        polled[i].events = c->ready > 0 ? POLLOUT : POLLIN;
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
    service_announce("events", listener, "up to %d clients", END - FIRST);
    while (!stop_requested() || count > FIRST) {
        polled[LISTENER].events = count < END ? POLLIN : 0;
        poll(polled, count, refuse_look_after() == NEVER ? -1 : LINGER_MS);
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
