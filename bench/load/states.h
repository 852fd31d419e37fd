/* States: the clients of each state, in a list of its own. */

#ifndef LOAD_STATES_H
#define LOAD_STATES_H

#include <stdint.h>

#include "client.h"

/* Adds a new client, which is idle. */
void state_add(struct client *c);

/* Moves c to the end of the list of a state, where it is due in delay_ns. All
 * that enter one state pass the same delay: so its list is in the order of due
 * times. A delay of 0 means that it is never due. */
void state_enter(struct client *c, enum state state, int64_t delay_ns);

/* The client that has been in a state for longest, or NULL. The next is its
 * field after. */
struct client *state_first(enum state state);

/* When the next client of any state is due; NEVER if none is. */
int64_t states_next_due(void);

/* Calls on_due for each client that is due now, in its state. on_due moves it
 * to another state, or to the end of the same one. */
void states_handle_due(void (*on_due)(struct client *c));

#endif
