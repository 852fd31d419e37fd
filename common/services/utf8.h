/* UTF-8 (RFC 3629), one character at a time. */

#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { UTF8_MAX_LENGTH = 4 }; /* bytes of one character */

/* Reads the character that text begins with into code. Returns its length in
 * bytes; 0 if the first left bytes of text begin with no character. */
size_t utf8_read(const char *text, size_t left, uint32_t *code);

#endif
