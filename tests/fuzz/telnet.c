/* Fuzz target: any bytes as what telnet sends. What is left is the same in
 * whatever pieces they arrive, and is all of it where there is no command. */

#include "services/telnet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "properties.h"

enum { MAX_SIZE = 4096, NO_SOCKET = -1 };

static int answers;

/* Instead of the kernel's: an answer is three bytes. */
ssize_t send(int client, const void *bytes, size_t size, int flags)
{
    const unsigned char *command = bytes;
    PROPERTY(client == NO_SOCKET && flags == MSG_DONTWAIT);
    PROPERTY(size == 3 && command[0] == 0xFF);
    PROPERTY(command[1] == 0xFC || command[1] == 0xFE);
    answers++;
    return (ssize_t)size;
}

/* Filters all bytes, in pieces of so many. Returns how many are left. */
static size_t filter(char *left, const unsigned char *data, size_t size,
                     size_t piece)
{
    struct telnet telnet = {.client = NO_SOCKET};
    size_t length = 0;
    for (size_t i = 0; i < size; i += piece) {
        size_t count = size - i < piece ? size - i : piece;
        char *bytes = malloc(count + READER_HELD); /* just the room there is */
        PROPERTY(bytes != NULL);
        memcpy(bytes, data + i, count);
        count = telnet_filter(&telnet, bytes, count);
        memcpy(left + length, bytes, count);
        length += count;
        free(bytes);
    }
    return length;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static char whole[MAX_SIZE + 1], pieces[MAX_SIZE + 1];
    if (size < 2 || size > MAX_SIZE)
        return 0;
    answers = 0;
    size_t piece = data[0] > 0 ? data[0] : 1;
    size_t length = filter(whole, data + 1, size - 1, size);
    int at_once = answers;
    PROPERTY(length <= size - 1);
    PROPERTY(filter(pieces, data + 1, size - 1, piece) == length);
    PROPERTY(memcmp(whole, pieces, length) == 0);
    PROPERTY(answers == 2 * at_once);
    if (memchr(data + 1, 0xFF, size - 1) == NULL)
        PROPERTY(length == size - 1 && memcmp(whole, data + 1, length) == 0);
    return 0;
}
