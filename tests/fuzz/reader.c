/* Fuzz target: any bytes from a socket, in any pieces, read as lines. Put
 * together again, the lines are the bytes; and each ends with the only LF in
 * it. */

#include "reader.h"

#include <errno.h>
#include <string.h>

#include "world.h"

enum { MAX_LENGTH = 100 };

/* How many bytes of data the reader hands out as lines. */
static size_t read_lines(struct reader *in, const unsigned char *data)
{
    size_t taken = 0;
    char *line;
    ssize_t length;
    while ((length = reader_line(in, MAX_LENGTH, &line)) > 0) {
        PROPERTY(memcmp(line, data + taken, (size_t)length) == 0);
        PROPERTY(memchr(line, '\n', (size_t)length - 1) == NULL);
        PROPERTY(length <= MAX_LENGTH + 2);
        taken += (size_t)length;
    }
    PROPERTY(length == 0 || errno == EMSGSIZE);
    return length == 0 ? taken : 0;
}

/* Is there a line in it that must be refused? */
static bool has_long_line(const unsigned char *data, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        bool is_before_lf = i + 1 < size && data[i + 1] == '\n';
        bool is_last_cr = data[i] == '\r' && (is_before_lf || i + 1 == size);
        length = data[i] == '\n' ? 0 : length + !is_last_cr;
        if (length > MAX_LENGTH)
            return true;
    }
    return false;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct reader in;
    if (size == 0 || size > MAX_INPUT)
        return 0;
    reader_open(&in, world_open(data, size));
    size_t taken = read_lines(&in, data + 1);
    PROPERTY(taken == (has_long_line(data + 1, size - 1) ? 0 : size - 1));
    return 0;
}
