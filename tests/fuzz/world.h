/* The world of a fuzz target that reads from a socket, played by the target: no
 * other process, no time. Include this in one file only: it takes the place of
 * what the server would be linked with.
 * - The first byte of the input chooses in pieces of which size the others
 *   arrive; 0 is all at once.
 * - What the server writes is kept, up to a bound: then the client has gone. */

#ifndef WORLD_H
#define WORLD_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "properties.h"
#include "reader.h"
#include "stop.h"
#include "tcp.h"
#include "visit.h"

enum { MOST_BYTES = 2 * READER_CAPACITY, MOST_WRITTEN = 32768 };

static struct {
    int ends[2]; /* the client's and the server's */
    const unsigned char *rest;
    size_t left, piece;
    char written[MOST_WRITTEN + 1];
    size_t written_length;
    bool is_over; /* the last words were said */
} world;

/* Begins anew, with a client that will send these bytes. Returns the server's
 * end of its socket. */
static inline int world_open(const unsigned char *data, size_t size)
{
    char bin[MOST_BYTES];
    if (world.ends[0] == world.ends[1])
        PROPERTY(socketpair(AF_UNIX, SOCK_STREAM, 0, world.ends) == 0);
    while (recv(world.ends[1], bin, sizeof bin, MSG_DONTWAIT) > 0)
        continue;
    world.piece = size > 0 && *data > 0 ? *data : MOST_BYTES;
    world.rest = size > 0 ? data + 1 : data;
    world.left = size > 0 ? size - 1 : 0;
    world.written_length = 0;
    world.is_over = false;
    return world.ends[1];
}

/* Sends the next piece if all others were read. Returns whether there is
 * anything to read. */
static inline bool world_send(void)
{
    int unread = 0;
    PROPERTY(ioctl(world.ends[1], FIONREAD, &unread) == 0);
    if (unread > 0)
        return true;
    size_t size = world.left < world.piece ? world.left : world.piece;
    if (size > 0)
        PROPERTY(send(world.ends[0], world.rest, size, 0) == (ssize_t)size);
    world.rest += size;
    world.left -= size;
    return size > 0;
}

/* --- tcp.h --------------------------------------------------------------- */

struct tcp_limits tcp_limits;

enum wake tcp_wait(int fd, short events, int64_t deadline, bool ends_on_stop)
{
    (void)events, (void)deadline, (void)ends_on_stop;
    PROPERTY(fd == world.ends[1]);
    return world_send() ? READY : STOPPED; /* a reader's end of input */
}

int tcp_write(int client, const void *data, size_t size)
{
    PROPERTY(client == world.ends[1]);
    PROPERTY(!world.is_over);
    size_t room = MOST_WRITTEN - world.written_length;
    size_t taken = size < room ? size : room;
    memcpy(world.written + world.written_length, data, taken);
    world.written_length += taken;
    errno = ECONNRESET;
    return taken == size ? 0 : -1;
}

void tcp_last_words(int client, const char *words, int64_t linger_ns)
{
    PROPERTY(linger_ns >= 0);
    (void)tcp_write(client, words, strlen(words));
    world.is_over = true;
}

/* --- stop.h and visit.h -------------------------------------------------- */

bool stop_requested(void)
{
    return false;
}

void visit_in_request(int client, bool is_in_request)
{
    (void)is_in_request;
    PROPERTY(client == world.ends[1]);
}

#endif
