/* Fuzz target: any bytes from a socket, read as lines. Put together again, the
 * lines are the bytes; and each ends with the only LF in it. */

#include "reader.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "properties.h"

enum { LONGEST = 100, MOST_BYTES = 2 * READER_CAPACITY };

/* How many bytes of data the reader hands out as lines. */
static size_t read_lines(struct reader *in, const unsigned char *data)
{
    size_t taken = 0;
    char *line;
    ssize_t length;
    while ((length = reader_line(in, LONGEST, &line)) > 0) {
        PROPERTY(memcmp(line, data + taken, (size_t)length) == 0);
        PROPERTY(memchr(line, '\n', (size_t)length - 1) == NULL);
        PROPERTY(length <= LONGEST + 2);
        taken += (size_t)length;
    }
    PROPERTY(length == 0 || errno == EMSGSIZE);
    return length == 0 ? taken : 0;
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
    size_t taken = read_lines(&in, data);
    PROPERTY(taken == 0 || taken == size);
    close(ends[0]);
    close(ends[1]);
    return 0;
}
