/* Greetings and good-byes, in lines. */

#include "services/lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "refuse.h"
#include "text.h"
#include "write.h"

int lines_greet(int client, long number)
{
    char greeting[64];
    snprintf(greeting, sizeof greeting, "Hello, client %ld.\n", number);
    return write_all(client, greeting, strlen(greeting));
}

/* "POST / HTTP/1.1" and the like */
static bool is_http(const char *line, size_t length)
{
    static const char version[] = " HTTP/1.x";
    length = text_without_end((struct text){line, length}).length;
    size_t method = 0;
    while (method < length && line[method] >= 'A' && line[method] <= 'Z')
        method++;
    return method > 0 && length > method + strlen(version) &&
           line[method] == ' ' &&
           memcmp(line + length - strlen(version), version,
                  strlen(version) - 1) == 0;
}

ssize_t lines_first(struct reader *in, char **line)
{
    ssize_t length = reader_line(in, MAX_LINE, line);
    if (length <= 0 || !is_http(*line, (size_t)length))
        return length;
    refuse_last_words(in->client,
                      "error this is not a web server: use a client that talks "
                      "in lines, such as nc\n",
                      LINES_LINGER_NS);
    return 0;
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
