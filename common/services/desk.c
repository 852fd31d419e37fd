/* desk: requests for work. Each keeps its worker busy in another way. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "barrier.h"
#include "clock.h"
#include "reader.h"
#include "refuse.h"
#include "services/lines.h"
#include "services/services.h"
#include "telnet.h"
#include "text.h"
#include "work.h"
#include "write.h"

enum {
    MAX_NUMBER = 100000000,
    MAX_BYTES = 1000000000,
    MAX_PARTIES = 100000,
    BARRIER_MS = 2000,
    CHUNK = 8192,
    MAX_ANSWER = MAX_LINE + 32,
};

/* A request and the function that answers it: 0, or -1 with errno if the client
 * is lost. Words that are no request are answered by a line that says so. */
struct request {
    const char *name;
    int (*answer)(int client, const char *words);
};

static int answer_line(int client, const char *status, const char *words)
{
    char line[MAX_ANSWER];
    int length = snprintf(line, sizeof line, "%s %s\n", status, words);
    return write_all(client, line, (size_t)length);
}

/* Reads up to two whole numbers, each from 0 to most; returns how many there
 * are, or 0 if there is anything else. */
static int read_numbers(const char *words, long numbers[2], long most)
{
    int count = 0;
    while (*words != '\0') {
        char *end;
        if (count == 2 || *words < '0' || *words > '9')
            return 0;
        numbers[count] = strtol(words, &end, 10);
        if (numbers[count] > most || (*end != '\0' && *end != ' '))
            return 0;
        words = end + strspn(end, " ");
        count++;
    }
    return count;
}

static int answer_range(int client, const char *name)
{
    char words[80];
    snprintf(words, sizeof words, "%s takes 0 to %ld ms (--max-work)", name,
             work_max_ms());
    return answer_line(client, "error", words);
}

static int answer_sleep(int client, const char *words)
{
    long ms[2];
    char answer[64];
    if (read_numbers(words, ms, work_max_ms()) != 1)
        return answer_range(client, "sleep");
    if (work_sleep(client, ms[0]) == -1)
        return -1;
    snprintf(answer, sizeof answer, "sleep %ld", ms[0]);
    return answer_line(client, "ok", answer);
}

static int answer_burn(int client, const char *words)
{
    long ms[2];
    char answer[64];
    if (read_numbers(words, ms, work_max_ms()) != 1)
        return answer_range(client, "burn");
    if (work_burn(client, ms[0]) == -1)
        return -1;
    snprintf(answer, sizeof answer, "burn %ld", ms[0]);
    return answer_line(client, "ok", answer);
}

/* The answer and the first bytes leave in one write. */
static int answer_bytes(int client, const char *words)
{
    long count[2];
    if (read_numbers(words, count, MAX_BYTES) != 1)
        return answer_line(client, "error", "bytes takes 0 to 1000000000");
    char chunk[CHUNK];
    size_t begin =
        (size_t)snprintf(chunk, sizeof chunk, "ok bytes %ld\n", count[0]);
    memset(chunk + begin, 'x', sizeof chunk - begin);
    size_t left = begin + (size_t)count[0];
    while (left > 0) {
        size_t size = left < sizeof chunk ? left : sizeof chunk;
        if (write_all(client, chunk, size) == -1)
            return -1;
        left -= size;
        memset(chunk, 'x', begin);
    }
    return 0;
}

/* Waits for other workers to have a client that waits here too. */
static int answer_barrier(int client, const char *words)
{
    long numbers[2] = {0, BARRIER_MS};
    int count = read_numbers(words, numbers, MAX_NUMBER);
    if (count == 0 || numbers[0] < 1 || numbers[0] > MAX_PARTIES)
        return answer_line(
            client, "error",
            "barrier takes 1 to 100000 clients, then perhaps ms");
    if (numbers[1] > work_max_ms())
        return answer_range(client, "barrier");
    int most;
    int64_t deadline = now_ns() + numbers[1] * NS_PER_MS;
    bool has_met = barrier_wait(client, (int)numbers[0], deadline, &most);
    char answer[64];
    if (has_met)
        snprintf(answer, sizeof answer, "barrier %ld", numbers[0]);
    else
        snprintf(answer, sizeof answer, "barrier %d of %ld", most, numbers[0]);
    return answer_line(client, has_met ? "ok" : "error", answer);
}

static int answer_echo(int client, const char *words)
{
    return answer_line(client, "ok echo", words);
}

static const struct request requests[] = {
    {"sleep", answer_sleep},     {"burn", answer_burn}, {"bytes", answer_bytes},
    {"barrier", answer_barrier}, {"echo", answer_echo},
};

/* Makes a string of the line: no line end, and '?' for what is not text. */
static void clean_line(char *line, size_t length)
{
    length = text_without_end((struct text){line, length}).length;
    line[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
            line[i] = '?';
}

static int answer_request(int client, const char *line)
{
    size_t length = strcspn(line, " ");
    const char *words = line + length + (line[length] == ' ');
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        if (strlen(requests[i].name) == length &&
            strncmp(requests[i].name, line, length) == 0)
            return requests[i].answer(client, words);
    return answer_line(client, "error unknown request:", line);
}

static enum outcome talk(int client, long number)
{
    struct reader in;
    struct telnet telnet;
    char *line;
    ssize_t length;

    reader_open(&in, client);
    telnet_attach(&telnet, &in);
    if (lines_greet(client, number) == -1)
        return LOST;
    for (length = lines_first(&in, &line); length > 0;
         length = reader_line(&in, MAX_LINE, &line)) {
        if (line[length - 1] != '\n')
            return SERVED; /* cut off: half a request is none */
        clean_line(line, (size_t)length);
        if (strcmp(line, "quit") == 0) {
            refuse_last_words(client, "bye\n", 0);
            return SERVED;
        }
        if (answer_request(client, line) == -1)
            return lines_farewell(&in, -1);
    }
    return lines_farewell(&in, length);
}

static const struct flag flags[] = {WORK_FLAG, {0}};

const struct service desk_service = {
    .name = "desk",
    .help = "the DMV: answers sleep MS, burn MS, bytes N, barrier N [MS],\n"
            "        echo WORDS, quit",
    .flags = flags,
    .talk = talk,
    .busy = LINES_BUSY,
};
