/* Greetings and good-byes, in lines. */

#include "services/lines.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "refuse.h"
#include "write.h"

int lines_greet(int client, long number)
{
    char greeting[64];
    snprintf(greeting, sizeof greeting, "Hello, client %ld.\n", number);
    return write_all(client, greeting, strlen(greeting));
}

enum outcome lines_farewell(const struct reader *in, ssize_t result)
{
    if (result == 0)
        return SERVED;
    switch (errno) {
    case EMSGSIZE:
        refuse_last_words(in->client,
                          "error line too long: 4096 bytes at most\n",
                          LINES_LINGER_NS);
        return SERVED;
    case ETIMEDOUT:
        refuse_last_words(in->client,
                          in->start == in->end
                              ? "error timed out: no request came\n"
                              : "error timed out: the request took too long\n",
                          0);
        return TIMED_OUT;
    default:
        return LOST;
    }
}
