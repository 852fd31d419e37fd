/* What services that talk in lines have in common: the greeting, the end. */

#ifndef LINES_H
#define LINES_H

#include <sys/types.h>

#include "clock.h"
#include "reader.h"
#include "visit.h"

enum { MAX_LINE = 4096 }; /* CR and LF not counted */

/* Sent to a client that is turned away. */
#define LINES_BUSY "busy: no clerk is free, please come back later\n"

/* A client in the middle of a line reads the reason only after it has sent the
 * rest. */
#define LINES_LINGER_NS (500 * NS_PER_MS)

/* Greets client number, so that it knows that a worker serves it. Returns 0, or
 * -1 with errno: it has gone, which the kernel tells only once. */
int lines_greet(int client, long number);

/* Reads the first line of a conversation, as reader_line does; but the first
 * line of a request of HTTP is answered, and 0 is returned. No person types
 * that. It comes from a browser, perhaps on behalf of a web page that wants to
 * use this service in the name of whoever looks at the page. */
ssize_t lines_first(struct reader *in, char **line);

/* Ends a conversation after reader_line or write_all said why: result is 0 or,
 * with errno, -1. Tells the client why, if it can. Returns the outcome. */
enum outcome lines_farewell(const struct reader *in, ssize_t result);

#endif
