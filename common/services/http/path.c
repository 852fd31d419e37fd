/* Paths are made safe in this order: split at the slashes that were sent as
 * such, decode once, then judge each name as the file system would see it. */

#include "path.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "services/utf8.h"

/* --- names --------------------------------------------------------------- */

/* Characters of UTF-8, none of them a control character. */
static bool is_text(const char *name)
{
    size_t left = strlen(name), length;
    uint32_t code = 0;
    for (; left > 0; name += length, left -= length) {
        length = utf8_read(name, left, &code);
        if (length == 0 || code < ' ' || code == 0x7f)
            return false;
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

/* Decodes a piece of a path into name, a string. Returns false for a % without
 * its two digits, and for a NUL, which would hide what follows it. */
static bool decode(struct text piece, char *name)
{
    for (size_t i = 0; i < piece.length; i++) {
        char c = piece.at[i];
        if (c == '%') {
            if (piece.length - i < sizeof "%ff" - 1)
                return false;
            int high = text_hex_digit(piece.at[++i]),
                low = text_hex_digit(piece.at[++i]);
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
static struct text find_path(struct text target)
{
    struct text path = text_take(&target, '?');
    bool is_url = text_take_word(&path, HTTP_SCHEME);
    if (!is_url && (path.length == 0 || *path.at != '/'))
        return (struct text){.at = NULL};
    text_take(&path, '/'); /* nothing, or the host */
    return is_url && path.at == NULL ? text_of("") : path;
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
static int add(struct text piece, const char *path, char **end)
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

int http_path_read(struct text target, char path[HTTP_PATH_SIZE])
{
    struct text rest = find_path(target);
    if (rest.at == NULL)
        return 400;
    char *end = path, *name = path;
    while (rest.at != NULL) {
        name = end;
        int status = add(text_take(&rest, '/'), path, &end);
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
