/* echo: greets, then sends each line back, byte for byte (RFC 862). */

#include <stddef.h>

#include "reader.h"
#include "services/lines.h"
#include "services/services.h"
#include "telnet.h"
#include "write.h"

static enum outcome talk(int client, long number)
{
    struct reader in;
    char *line;
    ssize_t length;

    reader_open(&in, client);
    telnet_keep_urgent(client);
    if (lines_greet(client, number) == -1)
        return LOST;
    for (length = lines_first(&in, &line); length > 0;
         length = reader_line(&in, MAX_LINE, &line)) {
        size_t left = telnet_skip_interrupts(client, line, (size_t)length);
        if (write_all(client, line, left) == -1)
            return lines_farewell(&in, -1);
    }
    return lines_farewell(&in, length);
}

const struct service echo_service = {
    .name = "echo",
    .help = "greets, then sends each line back",
    .talk = talk,
    .busy = LINES_BUSY,
};
