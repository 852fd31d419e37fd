/* Paths are made safe in this order: split at the slashes that were sent as
 * such, decode once, then judge each name as the file system would see it. */

#include "path.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* --- names --------------------------------------------------------------- */

/* The length of the UTF-8 character at the start of text, or 0 if it is none:
 * overlong forms and surrogates are other spellings of forbidden characters
 * (RFC 3629 section 10). */
static size_t utf8_length(const unsigned char *text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = *text;
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc0 || first >= 0xf8)
        return 0;
    uint32_t character = first & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) /* which the final NUL is not, either */
            return 0;
        character = character << 6 | (text[i] & 0x3f);
    }
    bool is_surrogate = character >= 0xd800 && character <= 0xdfff;
    bool is_character = character <= 0x10ffff && !is_surrogate;
    return is_character && character >= least[length] ? length : 0;
}

static bool is_text(const char *name)
{
    const unsigned char *c = (const unsigned char *)name;
    while (*c != '\0') {
        size_t length = utf8_length(c);
        if (length == 0 || *c < ' ' || *c == 0x7f)
            return false;
        c += length;
    }
    return true;
}

int http_name_check(const char *name)
{
    if (*name == '\0' || strpbrk(name, "/\\") != NULL || !is_text(name))
        return 400;
    return *name == '.' ? 403 : 0;
}

/* --- decoding ------------------------------------------------------------ */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes a piece of a path into name, a string. Returns false for a % without
 * its two digits, and for a NUL, which would hide what follows it. */
static bool decode(struct http_text piece, char *name)
{
    for (size_t i = 0; i < piece.length; i++) {
        char c = piece.at[i];
        if (c == '%') {
            if (piece.length - i < sizeof "%ff" - 1)
                return false;
            int high = hex_digit(piece.at[++i]), low = hex_digit(piece.at[++i]);
            if (high < 0 || low < 0)
                return false;
            c = (char)(high * 16 + low);
        }
        if (c == '\0')
            return false;
        *name++ = c;
    }
    *name = '\0';
    return true;
}

/* --- paths --------------------------------------------------------------- */

/* The path within a target; at is NULL if there is none. */
static struct http_text find_path(struct http_text target)
{
    static const char scheme[] = "http://";
    struct http_text path = http_text_take(&target, '?');
    if (http_text_begins(path, scheme)) {
        path.at += strlen(scheme);
        path.length -= strlen(scheme);
        http_text_take(&path, '/'); /* the host, again */
        return path.at != NULL ? path : http_text("");
    }
    if (path.length == 0 || *path.at != '/')
        return (struct http_text){.at = NULL};
    http_text_take(&path, '/');
    return path;
}

/* Takes the last component off the path that ends at end; the root has none. */
static int climb(const char *path, char **end)
{
    if (*end == path)
        return 400;
    do
        --*end;
    while (*end > path && (*end)[-1] != '/');
    return 0;
}

/* Adds a component, with a slash behind it, to the path that ends at end. */
static int add(struct http_text piece, const char *path, char **end)
{
    char *name = *end;
    if (!decode(piece, name))
        return 400;
    if (strcmp(name, "") == 0 || strcmp(name, ".") == 0)
        return 0;
    if (strcmp(name, "..") == 0)
        return climb(path, end);
    int status = http_name_check(name);
    *end += strlen(name);
    *(*end)++ = '/';
    return status;
}

int http_path_read(struct http_text target, char path[HTTP_PATH_SIZE])
{
    struct http_text rest = find_path(target);
    if (rest.at == NULL)
        return 400;
    char *end = path, *name = path;
    while (rest.at != NULL) {
        name = end;
        int status = add(http_text_take(&rest, '/'), path, &end);
        if (status != 0)
            return status;
    }
    if (end > name)
        end--; /* the target ended with a name, not with a slash */
    *end = '\0';
    return 0;
}

/* --- encoding ------------------------------------------------------------ */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || strchr("-._~/", c) != NULL;
}

const char *http_path_encode(char c, char code[sizeof "%XX"])
{
    const char *digits = "0123456789ABCDEF";
    unsigned char byte = (unsigned char)c;
    char *end = code;
    if (is_plain(c)) {
        *end++ = c;
    } else {
        *end++ = '%';
        *end++ = digits[byte >> 4];
        *end++ = digits[byte & 0xf];
    }
    *end = '\0';
    return code;
}
