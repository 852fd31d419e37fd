/* One line to the people who watch the server. Standard output has what goes as
 * planned, standard error what does not. A reader who has stopped reading loses
 * lines, but never holds up the server. */

#ifndef SAY_H
#define SAY_H

#include <stdbool.h>

/* Sets the name that begins every line; name is borrowed for ever. */
void say_as(const char *name);

/* Prints one line to standard output. Returns false, with errno set, if it
 * could not be written whole. */
bool say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints one line to standard error: the action that failed, then what errno
 * says. Repeated troubles are limited to one line a second. Keeps errno. */
void say_error(const char *action);

/* Prints that a stop waits for count clients. Safe in a signal handler. */
void say_stopping(int count);

#endif
