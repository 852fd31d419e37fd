/* Clients: what each does next, when its attempt has come to something or its
 * time is up. */

#ifndef LOAD_CLIENTS_H
#define LOAD_CLIENTS_H

#include <stdint.h>

#include "client.h"

/* Makes clients with sockets beforehand, for starts that come all at once. */
void clients_prepare(int count);

/* Starts one, whose attempt is intended for the moment intended_ns. */
void clients_start(int64_t intended_ns);

/* Does what the socket of c is ready for. */
void clients_handle(struct client *c);

/* Does what is due: deadlines, think times that end, dribbled bytes. */
void clients_handle_due(void);

/* How many are not idle. */
int64_t clients_active(void);

/* hold, slow: how many are in position or never will be, and how many are there
 * now. */
int64_t clients_settled(void);
int64_t clients_in_position(void);

/* Ends the run: attempts that are under way were cut, stays are over. */
void clients_close_records(void);

#endif
