/* Pieces of text. */

#include "text.h"

#include <string.h>
#include <strings.h>

enum { MOST_DIGITS = 18 }; /* of which any number fits into 64 bits */

struct http_text http_text(const char *string)
{
    return (struct http_text){.at = string, .length = strlen(string)};
}

bool http_text_equals(struct http_text text, const char *word)
{
    return strlen(word) == text.length &&
           memcmp(text.at, word, text.length) == 0;
}

bool http_text_is(struct http_text text, const char *word)
{
    return strlen(word) == text.length && http_text_begins(text, word);
}

bool http_text_begins(struct http_text text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length && strncasecmp(text.at, word, length) == 0;
}

struct http_text http_text_take(struct http_text *rest, char end)
{
    struct http_text piece = *rest;
    const char *found =
        piece.length > 0 ? memchr(piece.at, end, piece.length) : NULL;
    if (found == NULL) {
        *rest = (struct http_text){.at = NULL};
        return piece;
    }
    piece.length = (size_t)(found - piece.at);
    rest->at = found + 1;
    rest->length -= piece.length + 1;
    return piece;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct http_text http_text_trim(struct http_text text)
{
    for (; text.length > 0 && is_blank(*text.at); text.length--)
        text.at++;
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

bool http_text_number(struct http_text text, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (i == MOST_DIGITS || text.at[i] < '0' || text.at[i] > '9')
            return false;
        *number = *number * 10 + (text.at[i] - '0');
    }
    return text.length > 0;
}
