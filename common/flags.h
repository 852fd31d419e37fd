/* Command-line flags, declared in a table where they are used. */

#ifndef FLAGS_H
#define FLAGS_H

#include <stdint.h>

/* The exit status for a wrong command line. */
enum { EXIT_USAGE = 2 };

/* One flag. Exactly one of text, number, duration_ns and rate points to the
 * variable that receives the value; its value before parsing is the default. A
 * table of flags ends with {0}. */
struct flag {
    const char *name; /* without the two dashes */
    const char *help; /* what it sets, for --help */

    const char **text;
    const char *choices; /* text only: "wait|refuse", or NULL for any text */

    int *number;
    int min, max; /* number only: both are accepted */

    int64_t *duration_ns; /* written with a unit: 500ms, 5s; up to a day */

    int64_t *rate; /* bytes per second: 500, 64k, 10M */
};

/* Reads --name=value and --name value from the command line, in any order with
 * the operands, which it moves to argv[1], argv[2], ..., followed by a NULL.
 * A lone -- ends the flags. Returns the number of operands.
 *
 * --help prints the usage (the flags with their defaults, the operands in one
 * line, then about) and exits 0. Anything wrong is one line on standard error
 * that names the flag, the value and what is accepted; then it exits 2. */
int flags_parse(int argc, char *argv[], const struct flag *flags,
                const char *operands, const char *about);

#endif
