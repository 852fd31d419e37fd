/* Work that a client can order: a worker that waits, or one that computes. Each
 * piece is bounded by --max-work, and ends early when its client has gone. */

#ifndef WORK_H
#define WORK_H

#include <stdint.h>

#include "flags.h"
#include "wait.h"

extern int64_t work_max_ns;

/* For the flags of a service with such work. */
#define WORK_FLAG                                                              \
    {                                                                          \
        .name = "max-work",                                                    \
        .help = "how long a piece of work may be that a client orders",        \
        .duration_ns = &work_max_ns                                            \
    }

/* The longest work that may be ordered, in ms. */
long work_max_ms(void);

/* Waits: time passes, nothing is computed. Returns 0, or -1 with errno
 * ECONNRESET when the client has gone. */
int work_sleep(int client, long ms);

/* Computes until the calling thread has used so much CPU time. Returns as
 * above. */
int work_burn(int client, long ms);

/* Waits until the deadline (LATE), until pipe is readable (NOTIFIED), or until
 * the client has gone (READY). A client that has only said that it will send
 * nothing more cannot be told from one that closed, before something is sent to
 * it (RFC 9293 section 3.6): it counts as gone after a second. */
enum wake work_wait(int client, int pipe, int64_t deadline);

#endif
