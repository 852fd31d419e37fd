/* Fuzz target: any bytes as what a client says at the desk. Every whole line
 * gets one answer, in order, that is text; what is ordered is within bounds. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "services/barrier.h"
#include "services/lines.h"
#include "services/services.h"
#include "services/work.h"
#include "world.h"

enum { MAX_SAID = 2 * MAX_LINE + 100 };

#define GREETING "Hello, client 7.\n"
#define TOO_LONG "error line too long: 4096 bytes at most\n"

/* --- work, which takes no time here -------------------------------------- */

int64_t work_max_ns = 60 * NS_PER_S;

long work_max_ms(void)
{
    return 60000;
}

int work_sleep(int client, long ms)
{
    PROPERTY(client == CLIENT && ms >= 0 && ms <= work_max_ms());
    return 0;
}

int work_burn(int client, long ms)
{
    return work_sleep(client, ms);
}

bool barrier_wait(int client, int parties, int64_t deadline, int *most)
{
    PROPERTY(client == CLIENT);
    PROPERTY(parties >= 1 && parties <= 100000);
    PROPERTY(deadline <= now_ns() + work_max_ns);
    *most = 1;
    return parties == 1;
}

/* --- answers ------------------------------------------------------------- */

/* The length of the answer that begins here, with its LF. What is said in it
 * came from a client, and goes to a terminal. */
static size_t answer_length(const char *answer, size_t left)
{
    const char *lf = memchr(answer, '\n', left);
    PROPERTY(lf != NULL);
    bool is_text = true;
    for (const char *c = answer; c < lf; c++)
        is_text &= (unsigned char)*c >= ' ' && *c != '\x7f';
    PROPERTY(is_text);
    PROPERTY(lf - answer <= MAX_LINE + 32);
    return (size_t)(lf - answer) + 1;
}

/* How many bytes follow the line that promises them. */
static size_t promised_bytes(const char *answer)
{
    static const char promise[] = "ok bytes ";
    bool is_promise = strncmp(answer, promise, strlen(promise)) == 0;
    return is_promise ? strtoul(answer + strlen(promise), NULL, 10) : 0;
}

/* Looks at all answers behind the greeting. Returns how many there are. */
static int count_answers(void)
{
    const char *next = world.written + strlen(GREETING);
    size_t left = world.written_length - strlen(GREETING);
    int count = 0;
    while (left > 0) {
        size_t length = answer_length(next, left);
        size_t bytes = promised_bytes(next);
        PROPERTY(memcmp(next, "ok ", 3) == 0 ||
                 memcmp(next, "error ", 6) == 0 ||
                 (memcmp(next, "bye\n", 4) == 0 && length == left));
        PROPERTY(length + bytes <= left);
        PROPERTY(strspn(next + length, "x") >= bytes);
        next += length + bytes;
        left -= length + bytes;
        count++;
    }
    return count;
}

/* --- requests ------------------------------------------------------------ */

/* How many answers these bytes should get: one for each line, up to the one
 * that ends it all. */
static int count_lines(const char *data, size_t size)
{
    int count = 0;
    const char *lf;
    for (; (lf = memchr(data, '\n', size)) != NULL; data = lf + 1) {
        size_t length = (size_t)(lf - data);
        size -= length + 1;
        length -= length > 0 && data[length - 1] == '\r';
        count++;
        if (length > MAX_LINE || (length == 4 && memcmp(data, "quit", 4) == 0))
            return count;
    }
    size -= size > 0 && data[size - 1] == '\r';
    return count + (size > MAX_LINE);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size == 0 || size > MAX_SAID)
        return 0;
    if (memchr(data + 1, 0xFF, size - 1) != NULL)
        return 0; /* perhaps a command of telnet, which has its own target */
    int client = world_open(data, size);
    enum outcome outcome = desk_service.talk(client, 7);
    world.written[world.written_length] = '\0';
    PROPERTY(world.written_length >= strlen(GREETING));
    PROPERTY(memcmp(world.written, GREETING, strlen(GREETING)) == 0);
    if (world.written_length == MAX_WRITTEN)
        return 0; /* the client had enough of it and has gone */
    PROPERTY(outcome == SERVED);
    PROPERTY(count_answers() == count_lines((const char *)data + 1, size - 1));
    return 0;
}
