/* Cleaning: one character in, the same or a '?' out. */

#include "clean.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "services/utf8.h"

/* C0, DEL and C1: a terminal also reads U+009B as the start of an escape. */
static bool is_control(uint32_t code)
{
    return code < ' ' || (code >= 0x7F && code <= 0x9F);
}

/* Characters that are not seen, or that turn round the order in which others
 * are: with them a line looks like another (Unicode Standard Annex 9, and
 * Technical Report 36). The selectors of emoji, U+FE0E and U+FE0F, are not
 * among them. */
static bool is_deceptive(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
        {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},
        {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
        {0x3164, 0x3164},   {0xFE00, 0xFE0D},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0},   {0xFFF9, 0xFFFB},   {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

size_t chat_clean(char *text, size_t length)
{
    size_t cleaned = 0;
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        size_t size = utf8_read(text + i, length - i, &code);
        bool is_character = size > 0;
        if (is_character && !is_control(code) && !is_deceptive(code)) {
            memmove(text + cleaned, text + i, size);
            cleaned += size;
        } else {
            text[cleaned++] = is_character && code == '\t' ? ' ' : '?';
        }
        i += is_character ? size : 1;
    }
    return cleaned;
}
