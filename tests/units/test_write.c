/* Writing and last words, with a kernel that does what real ones rarely do: its
 * recv always has more, its send never takes all. */

#include "write.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"
#include "refuse.h"

enum { MAX_DISCARDED = 1024 * 1024, ROOM = 7 };

static size_t received, sent;
static char took[1024];

/* Always has more; ends if the server would go on for ever. */
ssize_t recv(int socket, void *bytes, size_t size, int flags)
{
    (void)socket, (void)bytes, (void)flags;
    received += size;
    return received <= 10 * (size_t)MAX_DISCARDED ? (ssize_t)size : 0;
}

/* Never takes more than ROOM bytes. */
ssize_t send(int socket, const void *bytes, size_t size, int flags)
{
    (void)socket, (void)flags;
    if (size > ROOM)
        size = ROOM;
    memcpy(took + sent, bytes, size);
    sent += size;
    return (ssize_t)size;
}

/* Without time to linger: what has arrived is discarded, but not without end.
 */
TEST(a_flood_is_not_read_to_its_end)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
        abort();
    refuse_last_words(ends[1], "error\n", 0);
    CHECK(received > 0);
    CHECK(received <= MAX_DISCARDED);
    close(ends[0]);
    close(ends[1]);
}

TEST(what_a_send_did_not_take_is_sent_again)
{
    const char words[] = "One clerk, one slow customer, and everybody waits.";
    CHECK_NUMBER(write_all(-1, words, sizeof words), 0);
    CHECK_NUMBER(sent, sizeof words);
    CHECK(memcmp(took, words, sizeof words) == 0);
}
