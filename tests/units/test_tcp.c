/* What is read away before a socket is closed, from a client who never stops
 * sending. No client is that fast, so this one is played by recv itself. */

#include "tcp.h"

#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { MOST_DISCARDED = 1024 * 1024 };

static size_t received;

/* Always has more; gives up on a server who would go on for ever. */
ssize_t recv(int socket, void *bytes, size_t size, int flags)
{
    (void)socket, (void)bytes, (void)flags;
    received += size;
    return received <= 10 * (size_t)MOST_DISCARDED ? (ssize_t)size : 0;
}

/* Without time to linger: what is there is read away, but not without end. */
static void a_flood_is_not_read_to_its_end(void)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
        abort();
    tcp_last_words(ends[1], "error\n", 0);
    CHECK(received > 0);
    CHECK(received <= MOST_DISCARDED);
    close(ends[0]);
    close(ends[1]);
}

int main(int argc, char *argv[])
{
    const struct test tests[] = {
        TEST(a_flood_is_not_read_to_its_end),
        {0},
    };
    return run_test(argc, argv, tests);
}
