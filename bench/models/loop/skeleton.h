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
#include "flags.h"
#include "quota.h"
#include "refuse.h"
#include "say.h"
#include "service.h"
#include "stop.h"
#include "tcp.h"
#include "visit.h"
#include "wait.h"

enum { MAX_WORKERS = 1000, MAX_PROCESSES = 20000 };
extern int workers; /* of --workers */
#define WORKERS_FLAG                                                           \
    {                                                                          \
        "workers", "how many serve", .number = &workers, 1, MAX_WORKERS        \
    }

/* Talks with a client, and closes. */
void serve_client(int client);

/* Starts threads, which call work with their numbers, 0 to count - 1; and waits
 * for their end. Exits if it cannot. */
void start_threads(int count, void *(*work)(void *number));
void join_threads(void);

/* Starts a process that calls run(fd) and ends with it, or when this one does.
 * A stop of its own closes the listener; it keeps that only if it is fd.
 * Returns false with errno if it cannot. */
bool start_process(void (*run)(int), int fd, int listener);

/* Waits until at most max of these are left. */
void await_processes(int max);

/* Hands a stop on to them, and waits for all. */
void stop_processes(void);

#endif
