/* Messages, each written whole or not at all. */

#include "say.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum {
    MAX_LINE = 512
}; /* under PIPE_BUF: a line arrives in one piece (pipe(7)) */

static const char *program = "server";

void say_as(const char *name)
{
    program = name;
}

/* Drops the line if the descriptor takes nothing now. Returns whether it was
 * written. */
static bool write_line(int fd, const char *line, size_t length)
{
    struct pollfd polled = {.fd = fd, .events = POLLOUT};
    if (poll(&polled, 1, 0) != 1) {
        errno = EAGAIN;
        return false;
    }
    return write(fd, line, length) == (ssize_t)length;
}

/* Ends a line that snprintf made (or truncated) with a newline. length is what
 * snprintf returned. Returns the length of the line. */
static size_t end_line(char line[MAX_LINE], int length)
{
    size_t end = length < 0 ? 0 : (size_t)length;
    if (end > MAX_LINE - 2)
        end = MAX_LINE - 2;
    line[end] = '\n';
    return end + 1;
}

bool say(const char *format, ...)
{
    char words[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);

    char line[MAX_LINE];
    int length = snprintf(line, sizeof line, "%s: %s", program, words);
    return write_line(STDOUT_FILENO, line, end_line(line, length));
}

void say_error(const char *action)
{
    static _Atomic int64_t quiet_until;
    int error = errno;
    int64_t now = now_ns();
    int64_t until = atomic_load(&quiet_until);
    if (now < until ||
        !atomic_compare_exchange_strong(&quiet_until, &until, now + NS_PER_S)) {
        errno = error;
        return;
    }
    char line[MAX_LINE];
    int length = snprintf(line, sizeof line, "%s: %s: %s", program, action,
                          strerror(error));
    write_line(STDERR_FILENO, line, end_line(line, length));
    errno = error;
}

/* snprintf is not async-signal-safe (signal-safety(7)), so the line is put
 * together by hand. */
void say_stopping(int count)
{
    char line[MAX_LINE] = "";
    char digits[] = "0000000000";
    size_t first = sizeof digits - 1;
    do
        digits[--first] = (char)('0' + count % 10);
    while ((count /= 10) > 0 && first > 0);

    const char *pieces[] = {
        program, ": stopping; waiting for ", digits + first,
        " in the middle of a request (a second signal ends it at once)\n"};
    size_t length = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
        for (const char *c = pieces[i]; *c != '\0' && length < sizeof line; c++)
            line[length++] = *c;
    write_line(STDOUT_FILENO, line, length);
}
