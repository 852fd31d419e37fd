/* Cleaning: one character in, the same or a '?' out. */

#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST_CHARACTER = 4 };

#define LAST_CHARACTER UINT32_C(0x10FFFF)

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
    return first >> 3 == 0x1E ? LONGEST_CHARACTER : 0;
}

/* Written with more bytes than it needs, a control character would look like
 * something else to a filter and like itself to a terminal: RFC 3629, section
 * 10. Halves of UTF-16 pairs are no characters either. */
static bool is_well_formed(uint32_t code, size_t length)
{
    static const uint32_t smallest[LONGEST_CHARACTER + 1] = {
        [2] = 0x80, [3] = 0x800, [4] = 0x10000};
    bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
    return code >= smallest[length] && code <= LAST_CHARACTER && !is_surrogate;
}

/* Reads the character that text begins with into code. Returns its length in
 * bytes, or 0 if there is none. */
static size_t read_character(const char *text, size_t left, uint32_t *code)
{
    unsigned char first = (unsigned char)text[0];
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

/* C0, DEL and C1: terminals take U+009B for the beginning of an escape, too. */
static bool is_control(uint32_t code)
{
    return code < ' ' || (code >= 0x7F && code <= 0x9F);
}

size_t chat_clean(char *text, size_t length)
{
    size_t cleaned = 0;
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        size_t size = read_character(text + i, length - i, &code);
        bool is_character = size > 0;
        if (is_character && !is_control(code)) {
            memmove(text + cleaned, text + i, size);
            cleaned += size;
        } else {
            text[cleaned++] = is_character && code == '\t' ? ' ' : '?';
        }
        i += is_character ? size : 1;
    }
    return cleaned;
}
