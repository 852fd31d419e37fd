/* Clients that are turned away. They are kept in a list until they have read
 * why; the accept loop looks after it while it waits. */

#include "refuse.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "wait.h"

#define LINGER_NS (1000 * NS_PER_MS) /* to read that one is refused */
#define CHECK_NS (20 * NS_PER_MS)    /* how often to look after them */

enum { MAX_REFUSED = 128, DISCARD_SIZE = 4096, MAX_DISCARDS = 256 };

/* Several threads may accept. The lock guards all three. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct refused {
    int client;
    int64_t deadline;
} refused[MAX_REFUSED];
static int refused_count;
static int64_t next_check;

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

void refuse_last_words(int client, const char *words, int64_t linger_ns)
{
    int64_t deadline = now_ns() + linger_ns;
    send(client, words, strlen(words), MSG_DONTWAIT); /* or never */
    shutdown(client, SHUT_WR);
    while (discard_input(client) && now_ns() < deadline)
        if (wait_for(client, POLLIN, deadline, false) != READY)
            break;
}

/* With the lock held. */
static void close_refused(int i)
{
    close(refused[i].client);
    refused[i] = refused[--refused_count];
}

void refuse_client(int client, const char *words)
{
    refuse_last_words(client, words, 0);
    pthread_mutex_lock(&lock);
    if (refused_count == MAX_REFUSED)
        close_refused(0);
    refused[refused_count++] =
        (struct refused){.client = client, .deadline = now_ns() + LINGER_NS};
    pthread_mutex_unlock(&lock);
}

/* With the lock held. */
static void look_after_all(int64_t now)
{
    next_check = now + CHECK_NS;
    for (int i = refused_count - 1; i >= 0; i--)
        if (!discard_input(refused[i].client) || now >= refused[i].deadline)
            close_refused(i);
}

int64_t refuse_look_after(void)
{
    pthread_mutex_lock(&lock);
    int64_t now = refused_count > 0 ? now_ns() : 0;
    if (refused_count > 0 && now >= next_check)
        look_after_all(now);
    int64_t next = refused_count > 0 ? next_check : NEVER;
    pthread_mutex_unlock(&lock);
    return next;
}

void refuse_end(void)
{
    pthread_mutex_lock(&lock);
    while (refused_count > 0)
        close_refused(0);
    pthread_mutex_unlock(&lock);
}
