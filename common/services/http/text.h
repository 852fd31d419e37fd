/* Pieces of text in a buffer that belongs to somebody else, and the characters
 * that HTTP's grammar allows in them. No NUL ends a piece. */

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

/* Are both the same, in letters of either case? */
bool http_text_is_same(struct http_text a, struct http_text b);

/* Does it begin with this word, in letters of either case? */
bool http_text_begins(struct http_text text, const char *word);

/* Takes the piece before the first end off the text, and that end with it. What
 * is left has at NULL when there was no end: the piece is the last. */
struct http_text http_text_take(struct http_text *rest, char end);

/* Takes the next line, without the CRLF or the single LF that ends it. */
struct http_text http_text_take_line(struct http_text *rest);

/* The text without its first count bytes. */
struct http_text http_text_skip(struct http_text text, size_t count);

/* Without the spaces and tabs around it. */
struct http_text http_text_trim(struct http_text text);

/* Reads it as a decimal number: digits only, below 10^18. */
bool http_text_number(struct http_text text, int64_t *number);

/* The value of a hex digit of either case, or -1. */
int http_hex_digit(char c);

/* Is it a token, which names a method or a field (RFC 9110 section 5.6.2)? */
bool http_text_is_token(struct http_text text);

/* Is every character visible ASCII? */
bool http_text_is_visible(struct http_text text);

/* Can it be the value of a field: no control character but the tab (RFC 9110
 * section 5.5)? A NUL, or a CR without its LF, is none. */
bool http_text_is_value(struct http_text text);

#endif
