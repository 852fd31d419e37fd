/* Work that a client can order: a clerk who waits, and a clerk who computes. */

#ifndef WORK_H
#define WORK_H

enum { WORK_LONGEST_MS = 600000 };

/* The clerk is on the phone: time passes, nothing is computed. */
void work_sleep(long ms);

/* The clerk computes: the time that passes is the processor's, for the thread
 * that calls. */
void work_burn(long ms);

#endif
