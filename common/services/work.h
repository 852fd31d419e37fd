/* Work that a client can order: a worker that waits, or one that computes. */

#ifndef WORK_H
#define WORK_H

enum { WORK_MAX_MS = 600000 };

/* Waits: time passes, nothing is computed. */
void work_sleep(long ms);

/* Computes until the calling thread has used so much CPU time. */
void work_burn(long ms);

#endif
