/* Cleaning: one character in, the same or a '?' out. */

#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "services/utf8.h"

/* C0, DEL and C1: a terminal also reads U+009B as the start of an escape. */
static bool is_control(uint32_t code)
{
    return code < ' ' || (code >= 0x7F && code <= 0x9F);
}

size_t chat_clean(char *text, size_t length)
{
    size_t cleaned = 0;
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        size_t size = utf8_read(text + i, length - i, &code);
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
