/* Closing a connection so that the client still reads why: closing with unread
 * input resets the connection, and what was sent is lost (RFC 9112 section
 * 9.6). So the server says that it will send no more, and lingers: it discards
 * what arrives until the client closes too. */

#ifndef REFUSE_H
#define REFUSE_H

#include <stdint.h>

/* Sends words if the socket takes them at once, and lingers for linger_ns at
 * most (0: discards only what is there). The caller closes. */
void refuse_last_words(int client, const char *words, int64_t linger_ns);

/* From now on the accept loop lingers, and refuse_last_words returns at once: a
 * worker that lingered for half a second on each client that it gave up would
 * double what a crowd of slow ones costs. Lab 4. Exits on failure. */
void refuse_in_accept_loop(void);

/* Tells a client that it is not served, and takes over its socket, without
 * waiting. For threads that accept. */
void refuse_client(int client, const char *words);

/* For the accept loop: discards what lingering clients sent, and closes those
 * that have closed, or had their time. Returns when to look again: NEVER if
 * there are none. */
int64_t refuse_look_after(void);

/* Readable when the accept loop has more to look after; or -1. */
int refuse_fd(void);

/* Closes all that are left. Later ones are lingered on by their worker. */
void refuse_end(void);

#endif
