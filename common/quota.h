/* What this machine and this user allow: told before it is missed. */

#ifndef QUOTA_H
#define QUOTA_H

#include <stdint.h>

#include "flags.h"

/* What serves a client, and so what many clients need many of. A model that has
 * no threads sets it before service_choose. */
enum quota_kind { A_THREAD, A_PROCESS, A_COROUTINE };
extern enum quota_kind quota_client_needs;

/* Descriptors of this process; threads and processes of this user; ports for
 * connections to one address; the longest backlog. */
enum quota { DESCRIPTORS, THREADS, PORTS, BACKLOG };

/* How many there may be; INT64_MAX where nobody says. */
int64_t quota_allowed(enum quota quota);

/* Says on standard error, in one line, if fewer may be had than what was asked
 * for needs: what follows from it, and the command that gives more. */
void quota_check(enum quota quota, const char *asked, int64_t needed,
                 const char *follows);

/* The same for a server: each client needs so many descriptors, and of the
 * flags those that are numbers of clients say how many clients there may be. */
void quota_check_server(const struct flag *flags, int each);

#endif
