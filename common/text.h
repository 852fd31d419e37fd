/* Pieces of text in a buffer that belongs to somebody else, and the characters
 * that HTTP's grammar allows in them. No NUL ends a piece. */

#ifndef TEXT_H
#define TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* at is NULL where there is no text at all; that differs from an empty one. */
struct text {
    const char *at;
    size_t length;
};

/* The whole of a string, borrowed. */
struct text text_of(const char *string);

/* Is it this word, byte for byte? */
bool text_equals(struct text text, const char *word);

/* Is it this word, in letters of either case? */
bool text_is(struct text text, const char *word);

/* Are both the same, in letters of either case? */
bool text_is_same(struct text a, struct text b);

/* Takes the piece before the first end off the text, and that end with it. What
 * is left has at NULL when there was no end: the piece is the last. */
struct text text_take(struct text *rest, char end);

/* Takes the next line, without the CRLF or the single LF that ends it. */
struct text text_take_line(struct text *rest);

/* Of a line that was taken and had an end: was that CRLF? */
bool text_ended_in_crlf(struct text line);

/* Takes this word, in letters of either case, off the beginning of the text.
 * Returns false, and takes nothing, if the text does not begin with it. */
bool text_take_word(struct text *rest, const char *word);

/* The text without the LF, or the CR and LF, that ends it. A CR without its LF
 * also goes. */
struct text text_without_end(struct text line);

/* The text without its first count bytes. */
struct text text_skip(struct text text, size_t count);

/* Without the spaces and tabs around it. */
struct text text_trim(struct text text);

/* Reads it as a decimal number: digits only, below 10^18. */
bool text_number(struct text text, int64_t *number);

/* The value of a hex digit of either case, or -1. */
int text_hex_digit(char c);

/* Is it a token, which names a method or a field (RFC 9110 section 5.6.2)? */
bool text_is_token(struct text text);

/* Is every character visible ASCII? */
bool text_is_visible(struct text text);

/* Can it be the value of a field: no control character but the tab (RFC 9110
 * section 5.5)? A NUL, or a CR without its LF, is none. */
bool text_is_value(struct text text);

/* Splits a line into the name and the value of a field, the blanks around the
 * value left out. Returns false if it is none. A line that begins with a blank
 * continues the one before (obs-fold), and a blank before the colon hides a
 * field from some readers: neither leaves a token as the name. */
bool text_split_field(struct text line, struct text *name, struct text *value);

/* Which of count words it is, in letters of either case; count for none. */
int text_find(struct text text, const char *const words[], int count);

#endif
