/* Pieces of text. */

#include "text.h"

#include <string.h>
#include <strings.h>

enum { MAX_DIGITS = 18 }; /* any number of so many fits into 64 bits */

struct text text_of(const char *string)
{
    return (struct text){.at = string, .length = strlen(string)};
}

bool text_equals(struct text text, const char *word)
{
    return strlen(word) == text.length &&
           memcmp(text.at, word, text.length) == 0;
}

/* In letters of either case. */
static bool text_begins(struct text text, const char *word)
{
    size_t length = strlen(word);
    return text.length >= length && strncasecmp(text.at, word, length) == 0;
}

bool text_is(struct text text, const char *word)
{
    return strlen(word) == text.length && text_begins(text, word);
}

bool text_is_same(struct text a, struct text b)
{
    return a.length == b.length && strncasecmp(a.at, b.at, a.length) == 0;
}

/* --- taking apart -------------------------------------------------------- */

struct text text_take(struct text *rest, char end)
{
    struct text piece = *rest;
    const char *found =
        piece.length > 0 ? memchr(piece.at, end, piece.length) : NULL;
    if (found == NULL) {
        *rest = (struct text){.at = NULL};
        return piece;
    }
    piece.length = (size_t)(found - piece.at);
    *rest = text_skip(*rest, piece.length + 1);
    return piece;
}

struct text text_take_line(struct text *rest)
{
    return text_without_end(text_take(rest, '\n'));
}

bool text_ended_in_crlf(struct text line)
{
    return line.at[line.length] == '\r';
}

struct text text_without_end(struct text line)
{
    if (line.length > 0 && line.at[line.length - 1] == '\n')
        line.length--;
    if (line.length > 0 && line.at[line.length - 1] == '\r')
        line.length--;
    return line;
}

bool text_take_word(struct text *rest, const char *word)
{
    if (!text_begins(*rest, word))
        return false;
    *rest = text_skip(*rest, strlen(word));
    return true;
}

struct text text_skip(struct text text, size_t count)
{
    return (struct text){text.at + count, text.length - count};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text text_trim(struct text text)
{
    while (text.length > 0 && is_blank(*text.at))
        text = text_skip(text, 1);
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

/* --- numbers ------------------------------------------------------------- */

bool text_number(struct text text, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (i == MAX_DIGITS || text.at[i] < '0' || text.at[i] > '9')
            return false;
        *number = *number * 10 + (text.at[i] - '0');
    }
    return text.length > 0;
}

int text_hex_digit(char c)
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

bool text_is_token(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!is_token_character(text.at[i]))
            return false;
    return text.length > 0;
}

bool text_is_visible(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.at[i] <= ' ' || text.at[i] >= '\x7f')
            return false;
    return true;
}

bool text_is_value(struct text text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.at[i];
        if ((c < ' ' && c != '\t') || c == '\x7f')
            return false;
    }
    return true;
}

/* --- fields -------------------------------------------------------------- */

bool text_split_field(struct text line, struct text *name, struct text *value)
{
    *name = text_take(&line, ':');
    if (line.at == NULL || !text_is_token(*name) || !text_is_value(line))
        return false;
    *value = text_trim(line);
    return true;
}

int text_find(struct text text, const char *const words[], int count)
{
    int i = 0;
    while (i < count && !text_is(text, words[i]))
        i++;
    return i;
}
