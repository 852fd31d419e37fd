/* Clients that are turned away or given up, in a list until they have read why.
 * The accept loop looks after it while it waits. */

#include "refuse.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "wait.h"

#define REFUSED_NS (1000 * NS_PER_MS) /* to read that one is refused */
#define CHECK_NS (20 * NS_PER_MS)     /* how often to look after them */

enum { MAX_LINGERING = 128, DISCARD_SIZE = 4096, MAX_DISCARDS = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct lingering {
    int client;
    int64_t deadline;
} list[MAX_LINGERING];
static int count;
static int64_t next_check;
static int notify_pipe[2] = {-1, -1}; /* from workers to the accept loop */
static bool takes_over, is_notified;

/* Discards what has arrived, though not all of it if more keeps coming: the
 * caller has a deadline. Returns whether the client may still send. */
static bool discard_input(int client)
{
    char bytes[DISCARD_SIZE];
    ssize_t size = 1;
    for (int i = 0; i < MAX_DISCARDS && size > 0; i++)
        size = recv(client, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size == -1)
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    return size > 0;
}

/* --- the list, with the lock held ---------------------------------------- */

static void close_lingering(int i)
{
    close(list[i].client);
    list[i] = list[--count];
}

/* Takes over the socket. In a full list the oldest has had most of its time. */
static void add(int client, int64_t deadline)
{
    int oldest = 0;
    for (int i = 1; i < count; i++)
        if (list[i].deadline < list[oldest].deadline)
            oldest = i;
    if (count == MAX_LINGERING)
        close_lingering(oldest);
    list[count++] = (struct lingering){.client = client, .deadline = deadline};
}

static void drain_notify_pipe(void)
{
    char byte;
    if (is_notified)
        is_notified = read(notify_pipe[0], &byte, 1) != 1;
}

/* --- for workers ---------------------------------------------------------- */

void refuse_in_accept_loop(void)
{
    if (pipe(notify_pipe) == -1)
        err(EXIT_FAILURE, "cannot make a pipe");
    fcntl(notify_pipe[0], F_SETFD, FD_CLOEXEC);
    fcntl(notify_pipe[1], F_SETFD, FD_CLOEXEC);
    takes_over = true;
}

/* Gives the accept loop a descriptor of its own, for the worker closes its own.
 * Returns false if it takes none. */
static bool hand_over(int client, int64_t deadline)
{
    pthread_mutex_lock(&lock);
    int copy = takes_over ? dup(client) : -1;
    if (copy != -1) {
        fcntl(copy, F_SETFD, FD_CLOEXEC);
        add(copy, deadline);
        if (!is_notified) /* so that the pipe is never full */
            is_notified = write(notify_pipe[1], "", 1) == 1;
    }
    pthread_mutex_unlock(&lock);
    return copy != -1;
}

void refuse_last_words(int client, const char *words, int64_t linger_ns)
{
    int64_t deadline = now_ns() + linger_ns;
    send(client, words, strlen(words), MSG_DONTWAIT); /* or never */
    shutdown(client, SHUT_WR);
    if (!discard_input(client) || linger_ns == 0 || hand_over(client, deadline))
        return;
    while (wait_for(client, POLLIN, deadline, false) == READY)
        if (!discard_input(client) || now_ns() >= deadline)
            return;
}

/* --- for the accept loop -------------------------------------------------- */

void refuse_client(int client, const char *words)
{
    refuse_last_words(client, words, 0);
    pthread_mutex_lock(&lock);
    add(client, now_ns() + REFUSED_NS);
    pthread_mutex_unlock(&lock);
}

static int64_t look_after_all(void)
{
    int64_t now = now_ns();
    if (now < next_check)
        return next_check;
    next_check = now + CHECK_NS;
    for (int i = count - 1; i >= 0; i--)
        if (!discard_input(list[i].client) || now >= list[i].deadline)
            close_lingering(i);
    return count == 0 ? NEVER : next_check;
}

int64_t refuse_look_after(void)
{
    pthread_mutex_lock(&lock);
    drain_notify_pipe();
    int64_t next = count == 0 ? NEVER : look_after_all();
    pthread_mutex_unlock(&lock);
    return next;
}

int refuse_fd(void)
{
    return notify_pipe[0];
}

void refuse_end(void)
{
    pthread_mutex_lock(&lock);
    takes_over = false;
    while (count > 0)
        close_lingering(0);
    pthread_mutex_unlock(&lock);
}
