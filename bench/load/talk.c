/* Talk: both protocols are lines, then perhaps a counted number of bytes. */

#include "talk.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flags.h"
#include "plan.h"

enum { UNTIL_CLOSE = -1, HTTP_OK = 2, HTTP_BUSY = 503 };

static bool starts_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* ---- What is said ---- */

static void compose_desk(struct request *request, const char *text)
{
    snprintf(request->text, MAX_TEXT, "%s\n", text);
    snprintf(request->answer, MAX_TEXT, "ok %s", text);
    if (strcmp(text, "quit") == 0)
        snprintf(request->answer, MAX_TEXT, "bye");
    if (starts_with(text, "bytes "))
        request->body = strtoll(text + strlen("bytes "), NULL, 10);
    if (starts_with(text, "barrier ")) /* its time limit is not repeated */
        request->answer[strlen("ok barrier ") +
                        strcspn(text + strlen("barrier "), " ")] = '\0';
}

static void compose_http(struct request *request, const char *text)
{
    bool is_kept =
        plan.mode->stays || (plan.mode->repeats && plan.requests != 1);
    if (*text != '/')
        errx(EXIT_USAGE, "%s: not a path such as /sleep/100", text);
    snprintf(request->text, MAX_TEXT,
             "GET %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: %s\r\n\r\n", text,
             plan.host, plan.port, is_kept ? "keep-alive" : "close");
}

void talk_compose(struct request *request, const char *text)
{
    if (strlen(text) + strlen(plan.host) > MAX_TEXT / 2)
        errx(EXIT_USAGE, "%.20s...: longer than a request may be", text);
    (plan.is_http ? compose_http : compose_desk)(request, text);
    request->length = strlen(request->text);
    if (plan.manner == DRIBBLING) /* it never says the end */
        request->length -= strlen(plan.is_http ? "\r\n" : "\n");
}

/* ---- What is heard ---- */

static void conclude(struct talk *talk, enum outcome verdict)
{
    talk->is_complete = true;
    talk->verdict = verdict;
}

static void hear_greeting(struct talk *talk, const char *line)
{
    talk->is_greeted = starts_with(line, "Hello, client ");
    if (!talk->is_greeted)
        conclude(talk, WRONG);
    else if (talk->request == NULL)
        conclude(talk, OK);
}

static void hear_desk_line(struct talk *talk, const char *line)
{
    if (starts_with(line, "busy"))
        conclude(talk, BUSY);
    else if (!talk->is_greeted)
        hear_greeting(talk, line);
    else if (strcmp(line, talk->request->answer) != 0)
        conclude(talk, WRONG);
    else if (talk->request->body == 0)
        conclude(talk, OK);
    else
        talk->is_in_body = true;
    talk->body_left = talk->is_in_body ? talk->request->body : 0;
}

static void hear_status(struct talk *talk, const char *line)
{
    bool is_http = starts_with(line, "HTTP/1.") && strlen(line) >= 12;
    long status = is_http ? strtol(line + strlen("HTTP/1.1 "), NULL, 10) : 0;
    talk->has_status = true;
    talk->is_last = starts_with(line, "HTTP/1.0");
    talk->verdict = status == HTTP_BUSY       ? BUSY
                    : status / 100 == HTTP_OK ? OK
                                              : WRONG;
    talk->body_left = status == 204 || status == 304 ? 0 : UNTIL_CLOSE;
    if (!is_http)
        conclude(talk, WRONG);
}

static void begin_body(struct talk *talk)
{
    talk->is_in_body = true;
    if (talk->body_left == UNTIL_CLOSE)
        talk->is_last = true;
    if (talk->body_left == 0)
        conclude(talk, talk->verdict);
}

static void hear_http_line(struct talk *talk, const char *line)
{
    if (!talk->has_status)
        hear_status(talk, line);
    else if (*line == '\0')
        begin_body(talk);
    else if (starts_with(line, "Content-Length:"))
        talk->body_left = strtoll(line + strlen("Content-Length:"), NULL, 10);
    else if (starts_with(line, "Connection: close"))
        talk->is_last = true;
    else if (starts_with(line, "Transfer-Encoding:"))
        conclude(talk, WRONG); /* not read here, and no lab writes it */
}

/* Takes the line that is complete now, without its end. */
static void finish_line(struct talk *talk)
{
    talk->line[--talk->length] = '\0';
    if (talk->length > 0 && talk->line[talk->length - 1] == '\r')
        talk->line[talk->length - 1] = '\0';
    talk->length = 0;
    (plan.is_http ? hear_http_line : hear_desk_line)(talk, talk->line);
}

/* Takes bytes up to the end of a line; returns how many. */
static size_t take_line(struct talk *talk, const char *bytes, size_t length)
{
    char *start = talk->line + talk->length;
    size_t room = sizeof talk->line - talk->length;
    size_t most = length < room ? length : room;
    char *end = memccpy(start, bytes, '\n', most);
    size_t taken = end != NULL ? (size_t)(end - start) : most;

    talk->length += taken;
    if (end != NULL)
        finish_line(talk);
    else if (taken == room)
        conclude(talk, WRONG); /* longer than any right answer */
    return taken;
}

static size_t take_body(struct talk *talk, size_t length)
{
    if (talk->body_left == UNTIL_CLOSE)
        return length;
    if (length > (size_t)talk->body_left)
        length = (size_t)talk->body_left;
    talk->body_left -= (int64_t)length;
    if (talk->body_left == 0)
        conclude(talk, talk->verdict);
    return length;
}

void talk_expect(struct talk *talk, const struct request *request)
{
    talk->request = request;
    talk->verdict = OK;
    talk->length = 0;
    talk->has_status = talk->is_in_body = talk->is_complete = false;
}

enum outcome talk_hear(struct talk *talk, const char *bytes, size_t length)
{
    while (length > 0 && !talk->is_complete) {
        size_t taken = talk->is_in_body ? take_body(talk, length)
                                        : take_line(talk, bytes, length);
        bytes += taken;
        length -= taken;
    }
    if (!talk->is_complete)
        return OPEN;
    return length > 0 && talk->verdict == OK ? WRONG : talk->verdict;
}

int64_t talk_body_left(const struct talk *talk)
{
    return talk->is_in_body ? talk->body_left : 0;
}

enum outcome talk_end(const struct talk *talk)
{
    return talk->is_in_body && talk->body_left == UNTIL_CLOSE ? talk->verdict
                                                              : CLOSED;
}
