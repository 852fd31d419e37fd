/* Fuzz target: any bytes from a socket, read as a chunked body. */

#include "services/http_body.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "properties.h"

enum { MOST_BYTES = 2 * READER_CAPACITY };

static void read_body(struct reader *in)
{
    struct http_request request = {.is_chunked = true};
    struct http_body body;
    const char *bytes;
    ssize_t size;
    http_body_open(&body, &request);
    while ((size = http_body_read(&body, in, &bytes)) > 0)
        PROPERTY(bytes >= in->bytes && bytes + size <= in->bytes + in->end);
    PROPERTY(size == 0 || errno == EBADMSG);
    PROPERTY(body.is_complete == (size == 0));
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    int ends[2];
    struct reader in;
    if (size > MOST_BYTES || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
        return 0;
    PROPERTY(send(ends[0], data, size, 0) == (ssize_t)size || size == 0);
    shutdown(ends[0], SHUT_WR);
    reader_open(&in, ends[1]);
    if (reader_begin(&in) == 1)
        read_body(&in);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
