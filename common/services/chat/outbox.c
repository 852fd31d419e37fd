/* A bounded buffer and a pipe. */

#include "outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wait.h"
#include "write.h"

static bool open_pipe(int ends[2])
{
    if (pipe(ends) == -1)
        return false;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

bool outbox_open(struct outbox *box, int client, pthread_mutex_t *lock)
{
    *box = (struct outbox){
        .lock = lock, .client = client, .pending = malloc(OUTBOX_SIZE)};
    if (box->pending != NULL && open_pipe(box->wake_pipe))
        return true;
    free(box->pending);
    return false;
}

void outbox_close(struct outbox *box)
{
    close(box->wake_pipe[0]);
    close(box->wake_pipe[1]);
    free(box->pending);
}

/* At most one byte is in the pipe, so that this never blocks. */
static void notify(struct outbox *box)
{
    if (!box->is_notified)
        box->is_notified = write(box->wake_pipe[1], "", 1) == 1;
}

void outbox_send(struct outbox *box)
{
    ssize_t sent = send(box->client, box->pending, box->length, MSG_DONTWAIT);
    if (sent >= 0) {
        box->length -= (size_t)sent;
        memmove(box->pending, box->pending + sent, box->length);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        box->error = errno;
    }
}

void outbox_put(struct outbox *box, const char *lines, size_t length)
{
    bool was_empty = box->length == 0;
    if (box->error != 0)
        return;
    if (length > OUTBOX_SIZE - box->length) {
        box->error = ENOBUFS;
        notify(box);
        return;
    }
    memcpy(box->pending + box->length, lines, length);
    box->length += length;
    if (!was_empty)
        return; /* lines must not overtake each other */
    outbox_send(box);
    if (box->length > 0)
        notify(box); /* the member's thread sends the rest */
}

void outbox_replace(struct outbox *box, const char *line)
{
    const char *lf = memchr(box->pending, '\n', box->length);
    box->length = lf != NULL ? (size_t)(lf - box->pending) + 1 : 0;
    box->error = 0;
    outbox_put(box, line, strlen(line));
}

bool outbox_is_behind(const struct outbox *box)
{
    return box->error == ENOBUFS || box->error == ETIMEDOUT;
}

/* --- the member's thread ------------------------------------------------- */

/* Makes the wake-up pipe unreadable again. */
static void drain(struct outbox *box)
{
    char byte;
    if (box->is_notified)
        box->is_notified = read(box->wake_pipe[0], &byte, 1) != 1;
}

/* Sends what the socket takes. Returns 1 when nothing is pending any more, 0
 * when something is; -1 with errno when the member is to leave. */
static int try_to_catch_up(struct outbox *box)
{
    pthread_mutex_lock(box->lock);
    drain(box);
    if (box->error == 0 && box->length > 0)
        outbox_send(box);
    int error = box->error;
    bool has_caught_up = box->length == 0;
    pthread_mutex_unlock(box->lock);
    errno = error;
    return error != 0 ? -1 : has_caught_up;
}

/* From now on the member is told no more. */
static int set_error(struct outbox *box, int error)
{
    pthread_mutex_lock(box->lock);
    box->error = error;
    pthread_mutex_unlock(box->lock);
    errno = error;
    return -1;
}

int outbox_catch_up(struct outbox *box)
{
    int result;
    while ((result = try_to_catch_up(box)) == 0) {
        enum wake wake = write_wait(box->client, box->wake_pipe[0], true);
        if (wake == STOPPED)
            return 0;
        if (wake == LATE)
            return set_error(box, ETIMEDOUT);
    }
    return result;
}

int outbox_wait(struct outbox *box, int64_t deadline)
{
    enum wake wake;
    do { /* notified: something is pending, or the member is to leave */
        int result = outbox_catch_up(box);
        if (result <= 0)
            return result;
        wake = wait_or_notified(box->client, POLLIN, box->wake_pipe[0],
                                deadline, false);
    } while (wake == NOTIFIED);
    if (wake == LATE)
        errno = ETIMEDOUT;
    return wake == READY ? 1 : -1;
}
