/* Events: echo written inside out, as a state machine on poll. Where straight
 * code has a stack that remembers how far a conversation is, this has a struct;
 * where that waits, this returns to the loop and must find its way back.
 * What its clients see: the same as of echo on coroutines. */
#include "loop/skeleton.h"
#include "services/lines.h"
#include "text.h"

enum { LISTENER, FIRST, END = 10000, LINGER_MS = 20 };

static struct client {
    size_t length, ready;     /* of what came; of what is sent before more */
    char bytes[MAX_LINE + 2]; /* one buffer for both ways, with CR and LF */
} clients[END];
static struct pollfd polled[END] = {{.events = POLLIN}}; /* the listener's */
static nfds_t count = FIRST;

static void begin(int fd)
{
    struct client *c = &clients[count];
    c->length = c->ready = (size_t)snprintf(
        c->bytes, MAX_LINE, "Hello, client %ld.\n", visit_begin(fd));
    polled[count++] = (struct pollfd){.fd = fd, .events = POLLOUT};
}

static void end(nfds_t i, enum outcome outcome, const char *last_words)
{
    visit_end(polled[i].fd, outcome);
    refuse_client(polled[i].fd, last_words); /* closes it when it is read */
    clients[i] = clients[--count];
    polled[i] = polled[count];
}

/* Whole lines are sent back; what is left, when no more comes. */
static ssize_t receive(int fd, struct client *c)
{
    ssize_t size = recv(fd, c->bytes + c->length, sizeof c->bytes - c->length,
                        MSG_DONTWAIT);
    if (size == -1)
        return -1;
    c->ready = c->length += (size_t)size;
    while (size > 0 && c->ready > 0 && c->bytes[c->ready - 1] != '\n')
        c->ready--;
    return size;
}

static ssize_t answer(int fd, struct client *c)
{
    ssize_t size = send(fd, c->bytes, c->ready, MSG_DONTWAIT);
    if (size == -1)
        return -1;
    c->ready -= (size_t)size;
    memmove(c->bytes, c->bytes + size, c->length -= (size_t)size);
    return size;
}

static void serve(nfds_t i)
{
    int fd = polled[i].fd;
    struct client *c = &clients[i];
    ssize_t size = c->ready > 0 ? answer(fd, c) : receive(fd, c);
    struct text first = {c->bytes, c->length}, line = text_take_line(&first);
    visit_in_request(fd, c->length > 0);
    polled[i].events = c->ready > 0 ? POLLOUT : POLLIN;
    if (size == -1 && errno != EAGAIN)
        end(i, LOST, "");
    else if (line.length > MAX_LINE) /* behind the first there is less room */
        end(i, SERVED, "error line too long: 4096 bytes at most\n");
    else if (c->length == 0 && (size == 0 || stop_requested()))
        end(i, SERVED, "");
}

int main(int argc, char *argv[])
{
    service_choose(argc, argv, NULL);
    if (argv[1] != NULL && strcmp(argv[1], "echo") != 0)
        errx(EXIT_USAGE, "%s: events serves echo only", argv[1]);
    int fd, listener = service_listen(SOMAXCONN);
    service_announce("events", listener, "up to %d clients", END - FIRST);
    while (!stop_requested() || count > FIRST) {
        polled[LISTENER].fd = stop_requested() || count == END ? -1 : listener;
        poll(polled, count, refuse_look_after() == NEVER ? -1 : LINGER_MS);
        for (nfds_t i = count - 1; i >= FIRST; i--)
            if (polled[i].revents != 0)
                serve(i);
        if (polled[LISTENER].revents != 0 && (fd = tcp_accept(listener)) != -1)
            begin(fd);
    }
    return visits_report();
}
