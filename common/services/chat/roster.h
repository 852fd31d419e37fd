/* The roster: who is in the room. It is the one thing that the threads of a
 * service share, and everything that is shared is behind its one lock.
 *
 * - Words are given to all members under the lock: there is one order of lines,
 *   and all hear the same one. Who speaks hears itself, in its place.
 * - Nobody waits for another. What a member's socket does not take at once is
 *   kept for it, up to a bound; its own thread sends that when the socket takes
 *   bytes again. Who lets the bound be reached is sent home.
 * - A member is its own thread's. It is in the roster from roster_join to
 *   roster_leave, and others touch it only there, only under the lock. */

#ifndef CHAT_ROSTER_H
#define CHAT_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LONGEST_NAME = 20, MOST_KEPT = 65536 };

/* A member lives on its thread's stack. While it is in the roster, only its
 * client and its own thread's reading of its name need no lock. */
struct member {
    int client;
    char name[LONGEST_NAME + 1];
    char *kept; /* lines that the socket has not taken yet */
    size_t kept_length;
    int bell[2]; /* a pipe, to wake its thread: there is something to do */
    bool is_rung;
    int failure; /* errno: why it is told no more; 0 while it is */
    struct member *next;
};

/* Lets client number in, under the name guest and its number. It is welcomed in
 * one line that ends with advice; the others are told. Returns false when there
 * is no memory or no descriptor left for it. */
bool roster_join(struct member *self, int client, long number,
                 const char *advice);

/* Takes self out: from now on nobody else touches it. The others are told that
 * it left, in the words of why. It hears last_words after all that it heard
 * before, or that it was too slow a reader if that is why; it gets half a
 * second to read them. Returns 0 if it has been sent them; else an errno: that
 * of send(2), ENOBUFS when too much was kept, ETIMEDOUT when it stood still. */
int roster_leave(struct member *self, const char *why, const char *last_words);

/* Says line, which ends in LF, to self alone; or to everybody, self included.
 */
void roster_tell(struct member *self, const char *line);
void roster_say(const char *line);

/* Tells self who is here. */
void roster_list(struct member *self);

/* Gives self another name and tells everybody. Returns false, and nothing has
 * happened, if another member has it. Names that differ only in case are one.
 */
bool roster_rename(struct member *self, const char *name);

/* Waits until all that is kept for self has been sent. Returns 1; 0 when a stop
 * was asked for; -1 with errno as roster_leave says. */
int roster_catch_up(struct member *self);

/* How a member's reader waits for bytes (see reader.h): meanwhile, it sends
 * what is kept. Who does not listen is not listened to: bytes are waited for
 * only once all that is kept has been sent. */
int roster_wait(void *self, int64_t deadline);

#endif
