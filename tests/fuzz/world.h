/* The world of a fuzz target that reads from a socket, played by the target: no
 * other process, no time. Include this in one file only: it takes the place of
 * what the server would be linked with.
 * - The first byte of the input chooses in pieces of which size the others
 *   arrive; 0 is all at once. The kernel's part is played, too: recv.
 * - What the server writes is kept, up to a bound: then the client has gone. */

#ifndef WORLD_H
#define WORLD_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "properties.h"
#include "reader.h"
#include "refuse.h"
#include "stop.h"
#include "visit.h"
#include "wait.h"
#include "write.h"

enum { CLIENT = 5, MAX_INPUT = 2 * READER_CAPACITY, MAX_WRITTEN = 32768 };

static struct {
    const unsigned char *rest; /* of what the client sends */
    size_t left, piece;
    char written[MAX_WRITTEN + 1];
    size_t written_length;
    bool is_over; /* the last words were said */
} world;

/* Begins anew, with a client that will send these bytes. Returns its socket. */
static inline int world_open(const unsigned char *data, size_t size)
{
    world.piece = size > 0 && *data > 0 ? *data : MAX_INPUT;
    world.rest = size > 0 ? data + 1 : data;
    world.left = size > 0 ? size - 1 : 0;
    world.written_length = 0;
    world.is_over = false;
    return CLIENT;
}

/* The next piece, as far as there is room for it; 0 at the end of the input. */
ssize_t recv(int client, void *bytes, size_t room, int flags)
{
    PROPERTY(client == CLIENT && room > 0 && (flags & ~MSG_DONTWAIT) == 0);
    size_t size = world.left < world.piece ? world.left : world.piece;
    size = size < room ? size : room;
    memcpy(bytes, world.rest, size);
    world.rest += size;
    world.left -= size;
    return (ssize_t)size;
}

/* --- wait.h, write.h, refuse.h -------------------------------------------- */

struct wait_limits wait_limits;
int (*wait_poll)(struct pollfd *, nfds_t, int) = poll;
bool wait_gives_way;

enum wake wait_for(int fd, short events, int64_t deadline, bool ends_on_stop)
{
    (void)events, (void)deadline, (void)ends_on_stop;
    PROPERTY(fd == CLIENT);
    return READY;
}

int write_all(int client, const void *data, size_t size)
{
    PROPERTY(client == CLIENT);
    PROPERTY(!world.is_over);
    size_t room = MAX_WRITTEN - world.written_length;
    size_t taken = size < room ? size : room;
    memcpy(world.written + world.written_length, data, taken);
    world.written_length += taken;
    errno = ECONNRESET;
    return taken == size ? 0 : -1;
}

void refuse_last_words(int client, const char *words, int64_t linger_ns)
{
    PROPERTY(linger_ns >= 0);
    (void)write_all(client, words, strlen(words));
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
    PROPERTY(client == CLIENT);
}

#endif
