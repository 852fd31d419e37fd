/* Clients: each goes from one state to the next as its socket or a clock says,
 * and sees to it that every attempt gets its stamps and one outcome. */

#ifndef LOAD_CLIENTS_H
#define LOAD_CLIENTS_H

#include <stdint.h>

struct client;

/* Clients will be watched by epoll, with their struct client as data. */
void clients_open(int epoll);

/* Makes clients with sockets beforehand, for starts that come all at once. */
void clients_prepare(int count);

/* Starts one, whose attempt is intended for the moment intended_ns. */
void clients_start(int64_t intended_ns);

/* Does what the socket of c is ready for. events are epoll's. */
void clients_handle(struct client *c, uint32_t events);

/* The moment when the next of them is due for something; NEVER if none is. */
int64_t clients_next_due(void);

/* Does what is due: deadlines, thoughts that end, dribbled bytes. */
void clients_serve_due(void);

int64_t clients_active(void);

/* hold, slow: how many have come to their place or never will, and how many are
 * there now. */
int64_t clients_settled(void);
int64_t clients_in_place(void);

/* Ends the run: attempts that are under way were cut, stays are over. */
void clients_close_records(void);

#endif
