/* Fuzz target: any bytes from a socket, read as a chunked body. It is the same
 * body in whatever pieces it arrives. */

#include "services/http_body.h"

#include <errno.h>
#include <string.h>

#include "world.h"

struct content {
    char bytes[MOST_BYTES];
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
        world.piece = MOST_BYTES;
    if (reader_begin(&in) == 1)
        read_body(content, &in);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct content whole, pieces;
    if (size > MOST_BYTES)
        return 0;
    read_content(&whole, data, size, true);
    read_content(&pieces, data, size, false);
    PROPERTY(whole.is_whole == pieces.is_whole);
    if (whole.is_whole) {
        PROPERTY(whole.length == pieces.length);
        PROPERTY(memcmp(whole.bytes, pieces.bytes, whole.length) == 0);
    }
    return 0;
}
