/* The skeleton of the models, which is that of the labs: shared once. */

#ifndef SKELETON_H
#define SKELETON_H

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "quota.h"
#include "refuse.h"
#include "say.h"
#include "service.h"
#include "stop.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

enum { MAX_WORKERS = 1000, MAX_PROCESSES = 20000 };
extern int workers;                      /* of --workers */
extern const struct flag workers_flag[]; /* and the end of a table */

/* Talks with a client, and closes. */
void serve_client(int client);

/* Starts threads, which call work with their numbers, 0 to count - 1. Exits if
 * it cannot. */
void start_threads(int count, void *(*work)(void *number));

/* Starts a process that calls run(fd) and ends with it, or when this one does.
 * A stop of its own closes the listener; it keeps that only if it is fd.
 * Returns false with errno if it cannot. */
bool start_process(void (*run)(int), int fd, int listener);

/* Waits until at most max of these are left. */
void await_processes(int max);

/* Waits for a stop, hands it on to all processes, waits for them and for all
 * threads, and prints the summary. Returns the exit status. */
int finish(void);

#endif
