/* Fuzz target: any bytes as a target. A path that comes out of it is safe, and
 * comes out the same when it is written as a target again. */

#include "http/path.h"

#include <string.h>

#include "properties.h"

/* Every byte of a path may take three in a target. */
enum { ENCODED_SIZE = 3 * HTTP_PATH_SIZE };

static void check_round_trip(const char *path)
{
    char target[ENCODED_SIZE + 1] = "/", again[ENCODED_SIZE];
    char code[sizeof "%XX"];
    size_t length = 1;
    for (const char *c = path; *c != '\0'; c++) {
        const char *encoded = http_path_encode(*c, code);
        memcpy(target + length, encoded, strlen(encoded) + 1);
        length += strlen(encoded);
    }
    PROPERTY(http_path_read(text_of(target), again) == 0);
    PROPERTY(strcmp(path, again) == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct text target = {(const char *)data, size};
    char path[HTTP_PATH_SIZE];
    if (size > HTTP_MAX_TARGET)
        return 0; /* the parser lets none of these pass */
    int status = http_path_read(target, path);
    PROPERTY(status == 0 || status == 400 || status == 403);
    if (status != 0)
        return 0;
    check_path(path);
    check_round_trip(path);
    return 0;
}
