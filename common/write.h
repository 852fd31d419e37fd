/* Writing to a client: all of it, also to a slow reader, but not for ever to
 * one that stands still. */

#ifndef WRITE_H
#define WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wait.h"

/* Writes all of data. Returns 0, or -1 with errno: ETIMEDOUT when the reader
 * stood still for wait_limits.write_ns, else that of send(2). */
int write_all(int client, const void *data, size_t size);

/* Writes size bytes of file from offset, without copying through user space
 * where the kernel can do that. Returns 0, or -1 with errno as write_all does;
 * EIO when the file ends before that. */
int write_file(int client, int file, off_t offset, off_t size);

/* Waits until the socket takes bytes again. Returns LATE when the client has
 * acknowledged nothing for wait_limits.write_ns, else as wait_or_notified. */
enum wake write_wait(int client, int pipe, bool ends_on_stop);

#endif
