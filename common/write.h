/* Writing to a client: all of it, also if it reads slowly, but not for ever if
 * it does not read. */

#ifndef WRITE_H
#define WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "wait.h"

/* Writes all of data. Returns 0, or -1 with errno: ETIMEDOUT when the client
 * read too slowly (write_wait), else that of send(2). */
int write_all(int client, const void *data, size_t size);

/* Writes size bytes of file from offset, without copying through user space
 * where the kernel can do that. Returns 0, or -1 with errno as write_all does;
 * EIO when the file ends before that. */
int write_file(int client, int file, off_t offset, off_t size);

/* Waits until the socket takes bytes again. Returns LATE when the client reads
 * too slowly, else as wait_or_notified.
 *
 * A client is judged by the bytes that its kernel has acknowledged, and must
 * take wait_limits.min_rate over a window of time:
 *
 * - While no other client waits, the window is wait_limits.write_ns, or longer
 *   if the kernel tells too little: a receiver shows its progress in steps as
 *   large as its buffer (up to 64 KB over loopback), and not byte by byte. So
 *   the window is at least the time for the largest step that was seen at three
 *   times min_rate, but 40 s at most (at 1 kB/s). An honest 4 KB/s from a
 *   client with buffers of usual size is never cut.
 * - While others wait, what is due in write_ns must come within that part of it
 *   which patience.h leaves; while the server stops, within write_ns. */
enum wake write_wait(int client, int pipe, bool ends_on_stop);

#endif
