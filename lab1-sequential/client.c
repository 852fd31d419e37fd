/* A client to talk with: what you type is sent to the server, and what the
 * server sends is shown at once, whether you asked or not. */

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "descriptors.h"
#include "editor.h"
#include "flags.h"
#include "tcp.h"

/* Without an answer, until one is told so; "sleep 1000" is no reason. */
#define TELL_NS (1500 * NS_PER_MS)

enum { BUFFER_SIZE = 16384, TELL_MS = TELL_NS / NS_PER_MS };

/* What was typed and not yet sent. */
static struct {
    char bytes[BUFFER_SIZE];
    size_t start, end;
    bool has_ended; /* Ctrl-D, or the end of the pipe */
    bool is_lost;   /* the server closed before it had read all of it */
} typed;

static const char *host = "127.0.0.1";
static int port = 9000;
static bool is_awaited; /* an answer, or the greeting */
static bool is_edited;  /* what is typed; else it comes as it is */

static bool has_unsent(void)
{
    return typed.start < typed.end && !typed.is_lost;
}

static void read_typed(void)
{
    ssize_t size = is_edited
                       ? editor_read(typed.bytes, sizeof typed.bytes)
                       : read(STDIN_FILENO, typed.bytes, sizeof typed.bytes);
    if (size == -1 && errno == EINTR)
        return;
    if (size == -1)
        err(EXIT_FAILURE, "cannot read standard input");
    typed.start = 0;
    typed.end = (size_t)size;
    typed.has_ended = size == 0;
}

/* Sends what the socket takes now. */
static void send_typed(int server)
{
    ssize_t sent = send(server, typed.bytes + typed.start,
                        typed.end - typed.start, MSG_DONTWAIT);
    if (sent >= 0)
        typed.start += (size_t)sent, is_awaited = true;
    else if (errno == EPIPE || errno == ECONNRESET)
        typed.is_lost = true; /* it reads no more, but may have answered */
    else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
        errx(EXIT_FAILURE, "cannot send: %s", tcp_reason(errno));
}

static void show(const char *words, size_t size)
{
    bool ends_line = words[size - 1] == '\n';
    editor_hide();
    while (size > 0) {
        ssize_t written = write(STDOUT_FILENO, words, size);
        if (written == -1 && errno == EINTR)
            continue;
        if (written == -1)
            err(EXIT_FAILURE, "cannot write to standard output");
        words += written;
        size -= (size_t)written;
    }
    editor_show(ends_line);
}

/* Shows what has arrived. Returns false when the server has closed. */
static bool show_answer(int server)
{
    char answer[BUFFER_SIZE];
    ssize_t size = recv(server, answer, sizeof answer, MSG_DONTWAIT);
    is_awaited = false;
    if (size > 0)
        show(answer, (size_t)size);
    else if (size == -1 && errno != EAGAIN && errno != EINTR)
        errx(EXIT_FAILURE, "%s", tcp_reason(errno));
    return size != 0;
}

static void tell_waiting(const char *what)
{
    editor_hide();
    fprintf(stderr, "waiting for %s from %s port %d\n", what, host, port);
    editor_show(true);
    is_awaited = false;
}

/* Talks until the server has closed the connection. */
static void talk(int server)
{
    bool has_said_end = false, tells = isatty(STDIN_FILENO);
    for (;;) {
        bool may_type = !has_unsent() && !typed.has_ended;
        struct pollfd polled[] = {
            {.fd = server, .events = has_unsent() ? POLLIN | POLLOUT : POLLIN},
            {.fd = may_type ? STDIN_FILENO : -1, .events = POLLIN},
        };
        int ready = poll(polled, 2, tells && is_awaited ? TELL_MS : -1);
        if (ready == -1 && errno != EINTR)
            err(EXIT_FAILURE, "cannot wait");
        if (ready == 0)
            tell_waiting("an answer");
        if ((polled[0].revents & ~POLLOUT) != 0 && !show_answer(server))
            return;
        if (polled[1].revents != 0)
            read_typed();
        if (has_unsent())
            send_typed(server);
        /* Half-close: nothing more is sent, and the answers are read. */
        if (typed.has_ended && !has_said_end)
            has_said_end = shutdown(server, SHUT_WR) == 0;
    }
}

/* Connects, and says so when it takes long: a server whose backlog is full. */
static int connect_to_server(int64_t patience)
{
    struct addrinfo *addresses = address_resolve(host, port);
    int64_t deadline = now_ns() + patience;
    int64_t tell = patience < TELL_NS ? deadline : now_ns() + TELL_NS;
    int server = tcp_connect(addresses, tell);
    if (server == -1 && errno == ETIMEDOUT && tell < deadline) {
        tell_waiting("a connection");
        server = tcp_connect(addresses, deadline);
    }
    int reason = errno;
    freeaddrinfo(addresses);
    if (server == -1)
        errx(EXIT_FAILURE, "cannot connect to %s port %d: %s", host, port,
             tcp_reason(reason));
    return server;
}

int main(int argc, char *argv[])
{
    int64_t patience = 60 * NS_PER_S;
    const struct flag flags[] = {
        {"host", "server's address or name", .text = &host},
        {"port", "server's port", .number = &port, .min = 1, .max = 65535},
        {"patience", "how long to wait for a connection",
         .duration_ns = &patience},
        {0},
    };
    if (flags_parse(argc, argv, flags, "", "") > 0)
        errx(EXIT_USAGE, "%s: unexpected; --host and --port say where to go",
             argv[1]);
    descriptors_need_output();
    descriptors_open_standard();
    signal(SIGPIPE, SIG_IGN); /* a server that closed is a failed send */

    int server = connect_to_server(patience);
    is_awaited = true;
    if (isatty(STDIN_FILENO)) {
        is_edited = editor_open();
        fprintf(stderr, "connected to %s port %d; Ctrl-D ends\n", host, port);
    }
    talk(server);
    close(server);
    if (typed.is_lost)
        errx(EXIT_FAILURE, "the server closed before it had read everything");
    if (!typed.has_ended)
        fprintf(stderr, "the server has closed the connection\n");
    return EXIT_SUCCESS;
}
