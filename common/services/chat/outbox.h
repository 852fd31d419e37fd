/* An outbox: the output for one member of the room that its socket has not
 * taken yet. Whoever has something to tell the member puts it here and never
 * waits for it. The member's own thread sends the rest, once the socket takes
 * bytes again.
 * The first functions are called with the room's lock held, or for a member
 * that is not in the room; the last two are for the member's own thread and
 * take the lock themselves. */

#ifndef CHAT_OUTBOX_H
#define CHAT_OUTBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OUTBOX_SIZE = 65536 };

struct outbox {
    pthread_mutex_t *lock; /* the room's */
    int client;
    char *pending; /* lines that the socket has not taken yet */
    size_t length;
    int wake_pipe[2]; /* readable while the member's thread is notified */
    bool is_notified;
    int error; /* errno: why nothing more is put in; 0 while all is well */
};

/* Prepares an empty outbox. Returns false without memory or descriptors. */
bool outbox_open(struct outbox *box, int client, pthread_mutex_t *lock);
void outbox_close(struct outbox *box);

/* Puts length bytes, which are whole lines, behind what is pending, and sends
 * what the socket takes at once. For the rest the member's thread is notified.
 * If they do not fit, error becomes ENOBUFS. */
void outbox_put(struct outbox *box, const char *lines, size_t length);

/* Puts the line in place of all that is pending, but for a line of which a part
 * may have been sent. Clears the error. */
void outbox_replace(struct outbox *box, const char *line);

/* Sends as much of what is pending as the socket takes now. */
void outbox_send(struct outbox *box);

/* Is the member too slow a reader to be told more? */
bool outbox_is_behind(const struct outbox *box);

/* Waits until nothing is pending any more. Returns 1; 0 when a stop was asked
 * for; -1 with errno: ENOBUFS if it was too much, ETIMEDOUT if the member stood
 * still, else that of send(2). */
int outbox_catch_up(struct outbox *box);

/* Waits for input from the member, first until nothing is pending. Returns as
 * outbox_catch_up does, with ETIMEDOUT also when the deadline has passed. */
int outbox_wait(struct outbox *box, int64_t deadline);

#endif
