/* One-line messages to the person who runs the server: what goes as planned to
 * standard output, errors to standard error. If the terminal or pipe is full,
 * the line is dropped: writing it never blocks the server. */

#ifndef SAY_H
#define SAY_H

#include <stdbool.h>

/* Sets the name that begins every line; name must stay valid. */
void say_as(const char *name);

/* Prints one line to standard output. Returns false, with errno set, if it
 * could not be written whole. */
bool say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line to standard error: the action that failed, then what errno
 * means. At most one line a second. Keeps errno. */
void say_error(const char *action);

/* Prints that the stop waits for count clients. Safe in a signal handler. */
void say_stopping(int count);

#endif
