/* Decoding UTF-8, strictly: a decoder that accepts more than one spelling of a
 * character lets forbidden ones pass a filter. */

#include "utf8.h"

#include <stdbool.h>

#define MAX_CODE UINT32_C(0x10FFFF)

/* The length that the first byte of a character announces; 0 for a byte that
 * begins none. */
static size_t announced_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >> 5 == 0x6)
        return 2;
    if (first >> 4 == 0xE)
        return 3;
    return first >> 3 == 0x1E ? UTF8_MAX_LENGTH : 0;
}

/* A character in more bytes than it needs is an error (RFC 3629 section 10),
 * and so is half of a pair of UTF-16. */
static bool is_well_formed(uint32_t code, size_t length)
{
    static const uint32_t min_codes[UTF8_MAX_LENGTH + 1] = {
        [2] = 0x80, [3] = 0x800, [4] = 0x10000};
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code >= min_codes[length] && code <= MAX_CODE && !is_surrogate;
}

size_t utf8_read(const char *text, size_t left, uint32_t *code)
{
    unsigned char first = left > 0 ? (unsigned char)text[0] : 0;
    size_t length = announced_length(first);
    if (length == 0 || length > left)
        return 0;
    *code = length == 1 ? first : first & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if (next >> 6 != 0x2)
            return 0;
        *code = *code << 6 | (next & 0x3FU);
    }
    return is_well_formed(*code, length) ? length : 0;
}
