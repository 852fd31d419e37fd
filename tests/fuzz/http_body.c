/* Fuzz target: any bytes from a socket, read as a chunked body. It is the same
 * body in whatever pieces it arrives; one that is taken follows the grammar. */

#include "http/body.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

struct content {
    char bytes[MAX_INPUT];
    size_t length;
    bool is_whole;
};

static void read_body(struct content *content, struct reader *in)
{
    struct http_request request = {.is_chunked = true};
    struct http_body body;
    const char *bytes;
    ssize_t size;
    http_body_open(&body, &request);
    while ((size = http_body_read(&body, in, &bytes)) > 0) {
        PROPERTY(bytes >= in->bytes && bytes + size <= in->bytes + in->end);
        PROPERTY(content->length + (size_t)size <= sizeof content->bytes);
        memcpy(content->bytes + content->length, bytes, (size_t)size);
        content->length += (size_t)size;
    }
    PROPERTY(size == 0 || errno == EBADMSG);
    PROPERTY(body.is_complete == (size == 0));
    content->is_whole = body.is_complete;
}

static void read_content(struct content *content, const unsigned char *data,
                         size_t size, bool is_at_once)
{
    struct reader in;
    content->length = 0;
    content->is_whole = false;
    reader_open(&in, world_open(data, size));
    if (is_at_once)
        world.piece = MAX_INPUT;
    if (reader_begin(&in) == 1)
        read_body(content, &in);
}

/* A size in hex digits, then perhaps an extension, which blanks may precede.
 * Returns what follows the line. */
static const char *read_size(const char *line, const char *end, size_t *size)
{
    char *unread;
    const char *lf = memchr(line, '\n', (size_t)(end - line));
    PROPERTY(lf != NULL && lf > line && lf[-1] == '\r');
    PROPERTY(isxdigit((unsigned char)*line));
    *size = strtoul(line, &unread, 16);
    PROPERTY(line[1] != 'x' && line[1] != 'X');
    PROPERTY(unread == lf - 1 || strchr("; \t", *unread) != NULL);
    return lf + 1;
}

/* Reads the chunks of a body that was taken once more: RFC 9112 section 7.1. */
static void check_chunks(const struct content *content, const char *next,
                         const char *end)
{
    size_t length = 0, size;
    for (;;) {
        next = read_size(next, end, &size);
        if (size == 0)
            break;
        PROPERTY(size <= content->length - length);
        PROPERTY((size_t)(end - next) >= size + 2);
        PROPERTY(memcmp(content->bytes + length, next, size) == 0);
        PROPERTY(memcmp(next + size, "\r\n", 2) == 0);
        length += size;
        next += size + 2;
    }
    PROPERTY(length == content->length);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct content whole, pieces;
    if (size > MAX_INPUT)
        return 0;
    read_content(&whole, data, size, true);
    read_content(&pieces, data, size, false);
    PROPERTY(whole.is_whole == pieces.is_whole);
    if (whole.is_whole) {
        PROPERTY(whole.length == pieces.length);
        PROPERTY(memcmp(whole.bytes, pieces.bytes, whole.length) == 0);
        check_chunks(&whole, (const char *)data + 1, (const char *)data + size);
    }
    return 0;
}
