/* The roster: who is in the room. It is all that the threads of the service
 * share, behind its one lock.
 *
 * - A line is put into every member's outbox under the lock: there is one order
 *   of lines, the same for all. A speaker also gets its own lines, in order.
 * - Nobody waits for another member. One whose outbox is full is disconnected.
 * - A member belongs to its own thread. From roster_join to roster_leave other
 *   threads touch it too, but only under the lock.
 * - People who come and leave are announced in batches, at most ten a second: a
 *   crowd that comes at once would cost a system call for each pair. */

#ifndef CHAT_ROSTER_H
#define CHAT_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outbox.h"

enum { MAX_NAME = 20 };

/* A member lives on its thread's stack. While it is in the roster, only its
 * socket and its own thread's reading of its name need no lock. */
struct member {
    char name[MAX_NAME + 1];
    struct outbox out;
    size_t known_notices; /* bytes of the present batch from before it joined */
    struct member *next;
};

/* Lets client number in, under the name guest and its number. It is welcomed in
 * one line that ends with advice; the others are told. Returns false when there
 * is no memory or no descriptor left for it. */
bool roster_join(struct member *self, int client, long number,
                 const char *advice);

/* Takes self out: from now on no other thread touches it. The others are told
 * that it left, in the words of why. It is sent last_words after all that is
 * pending, or that it was too slow a reader if that is why; it has half a
 * second to read them. Returns 0 if all was sent; else an errno: that of
 * send(2), ENOBUFS when too much was pending, ETIMEDOUT when it stood still. */
int roster_leave(struct member *self, const char *why, const char *last_words);

/* Tells line, which ends in LF, to self alone; or to everybody, self too. */
void roster_tell(struct member *self, const char *line);
void roster_say(const char *line);

/* Tells self who is here. */
void roster_list(struct member *self);

/* Gives self another name and tells everybody. Returns false, and nothing has
 * happened, if another member has it. Case makes no difference. */
bool roster_rename(struct member *self, const char *name);

/* Waits until all that is pending for self has been sent. Returns 1; 0 when a
 * stop was asked for; -1 with errno as roster_leave says. */
int roster_catch_up(struct member *self);

/* How a member's reader waits for bytes (see reader.h): first until all that is
 * pending has been sent. A member that does not read is not read from. */
int roster_wait(void *self, int64_t deadline);

#endif
