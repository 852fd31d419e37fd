/* Closing a connection so that the client still reads why: closing with unread
 * input resets the connection, and what was sent is lost (RFC 9112 section
 * 9.6). */

#ifndef REFUSE_H
#define REFUSE_H

#include <stdint.h>

/* Sends words if the socket takes them at once, says that nothing will follow,
 * and discards what arrives until the client closes, but for linger_ns at most
 * (0: only what is there). The caller closes. */
void refuse_last_words(int client, const char *words, int64_t linger_ns);

/* Tells a client that it is not served, and takes over its socket: nobody waits
 * for it. The two below are for the threads that accept. */
void refuse_client(int client, const char *words);

/* Looks after the clients that were refused, and closes those that have read
 * why, or had a second for it. Returns when to look again: NEVER if there are
 * none. */
int64_t refuse_look_after(void);

/* Closes all that are left. */
void refuse_end(void);

#endif
