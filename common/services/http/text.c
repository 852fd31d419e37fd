/* Pieces of text. */

#include "text.h"

#include <string.h>
#include <strings.h>

enum { MAX_DIGITS = 18 }; /* any number of so many fits into 64 bits */

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

bool http_text_is_same(struct http_text a, struct http_text b)
{
    return a.length == b.length && strncasecmp(a.at, b.at, a.length) == 0;
}

bool http_text_begins(struct http_text text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length && strncasecmp(text.at, word, length) == 0;
}

/* --- taking apart -------------------------------------------------------- */

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
    *rest = http_text_skip(*rest, piece.length + 1);
    return piece;
}

struct http_text http_text_take_line(struct http_text *rest)
{
    struct http_text line = http_text_take(rest, '\n');
    if (line.length > 0 && line.at[line.length - 1] == '\r')
        line.length--;
    return line;
}

struct http_text http_text_skip(struct http_text text, size_t count)
{
    return (struct http_text){text.at + count, text.length - count};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct http_text http_text_trim(struct http_text text)
{
    while (text.length > 0 && is_blank(*text.at))
        text = http_text_skip(text, 1);
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

/* --- numbers ------------------------------------------------------------- */

bool http_text_number(struct http_text text, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (i == MAX_DIGITS || text.at[i] < '0' || text.at[i] > '9')
            return false;
        *number = *number * 10 + (text.at[i] - '0');
    }
    return text.length > 0;
}

int http_hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* --- characters ---------------------------------------------------------- */

static bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_text_is_token(struct http_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_token_character(text.at[i]))
            return false;
    return text.length > 0;
}

bool http_text_is_visible(struct http_text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] <= ' ' || text.at[i] >= '\x7f')
            return false;
    return true;
}

bool http_text_is_value(struct http_text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < ' ' && c != '\t') || c == '\x7f')
            return false;
    }
    return true;
}
