/* Pieces of text in a buffer that somebody else owns. No NUL ends them. */

#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* at is NULL where there is no text at all; that differs from an empty one. */
struct http_text {
    const char *at;
    size_t length;
};

/* The whole of a string, borrowed. */
struct http_text http_text(const char *string);

/* Is it this word, byte for byte? */
bool http_text_equals(struct http_text text, const char *word);

/* Is it this word, in letters of either case? */
bool http_text_is(struct http_text text, const char *word);

/* Does it begin with this word, in letters of either case? */
bool http_text_begins(struct http_text text, const char *word);

/* Takes the piece before the first end off the text, and that end with it. What
 * is left has at NULL when there was no end: the piece is the last. */
struct http_text http_text_take(struct http_text *rest, char end);

/* Without the spaces and tabs around it. */
struct http_text http_text_trim(struct http_text text);

/* Reads it as a decimal number: digits only, below 10^18. */
bool http_text_number(struct http_text text, int64_t *number);

#endif
