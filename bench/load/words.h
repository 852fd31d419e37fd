/* Words: a summary of all records, for a person or as JSON. */

#ifndef LOAD_WORDS_H
#define LOAD_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct words {
    const char *title;   /* a file's name, or NULL */
    bool is_json;        /* one object on one line */
    bool is_closed_loop; /* NULL title only: the mode was closed */
    int64_t series_ns;   /* also a line for each such interval, or 0 */
};

/* Writes it. Exits on failure. */
void words_write(FILE *output, const struct words *words);

#endif
