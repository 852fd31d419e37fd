/* Protocol: both are lines, then perhaps a counted number of bytes. */

#include "protocol.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flags.h"
#include "plan.h"
#include "text.h"

enum { UNTIL_CLOSE = -1, HTTP_OK = 2, HTTP_BUSY = 503 };

static bool starts_with(const char *text, const char *start)
{
    return strncasecmp(text, start, strlen(start)) == 0;
}

/* ---- Requests ---- */

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
    bool is_v6 = strchr(plan.host, ':') != NULL;
    if (*text != '/')
        errx(EXIT_USAGE, "%s: not a path such as /sleep/100", text);
    snprintf(request->text, MAX_TEXT,
             "GET %s HTTP/1.1\r\nHost: %s%s%s:%d\r\nConnection: %s\r\n\r\n",
             text, is_v6 ? "[" : "", plan.host, is_v6 ? "]" : "", plan.port,
             is_kept ? "keep-alive" : "close");
}

void protocol_compose(struct request *request, const char *text)
{
    if (strlen(text) + strlen(plan.host) > MAX_TEXT / 2)
        errx(EXIT_USAGE, "%.20s...: longer than a request may be", text);
    (plan.is_http ? compose_http : compose_desk)(request, text);
    request->length = strlen(request->text);
    if (plan.behaviour == DRIBBLES) /* it never sends the end */
        request->length -= strlen(plan.is_http ? "\r\n" : "\n");
}

/* ---- Replies ---- */

static void conclude(struct reply *reply, enum outcome verdict)
{
    reply->is_complete = true;
    reply->verdict = verdict;
}

static void take_greeting(struct reply *reply, const char *line)
{
    reply->is_greeted = starts_with(line, "Hello, client ");
    if (!reply->is_greeted)
        conclude(reply, WRONG);
    else if (reply->request == NULL)
        conclude(reply, OK);
}

static void take_desk_line(struct reply *reply, const char *line)
{
    if (starts_with(line, "busy"))
        conclude(reply, BUSY);
    else if (!reply->is_greeted)
        take_greeting(reply, line);
    else if (strcmp(line, reply->request->answer) != 0)
        conclude(reply, WRONG);
    else if (reply->request->body == 0)
        conclude(reply, OK);
    else
        reply->is_in_body = true;
    reply->body_left = reply->is_in_body ? reply->request->body : 0;
}

static void take_status(struct reply *reply, const char *line)
{
    bool is_http = starts_with(line, "HTTP/1.") && strlen(line) >= 12;
    long status = is_http ? strtol(line + strlen("HTTP/1.1 "), NULL, 10) : 0;
    reply->has_status = true;
    reply->is_last = starts_with(line, "HTTP/1.0");
    reply->verdict = status == HTTP_BUSY       ? BUSY
                     : status / 100 == HTTP_OK ? OK
                                               : WRONG;
    reply->body_left = status == 204 || status == 304 ? 0 : UNTIL_CLOSE;
    if (!is_http)
        conclude(reply, WRONG);
}

static void begin_body(struct reply *reply)
{
    reply->is_in_body = true;
    if (reply->body_left == UNTIL_CLOSE)
        reply->is_last = true;
    if (reply->body_left == 0)
        conclude(reply, reply->verdict);
}

static void take_http_line(struct reply *reply, const char *line)
{
    if (!reply->has_status)
        take_status(reply, line);
    else if (*line == '\0')
        begin_body(reply);
    else if (starts_with(line, "Content-Length:"))
        reply->body_left = strtoll(line + strlen("Content-Length:"), NULL, 10);
    else if (starts_with(line, "Connection: close"))
        reply->is_last = true;
    else if (starts_with(line, "Transfer-Encoding:"))
        conclude(reply, WRONG); /* not read here, and no lab writes it */
}

/* Takes the line that is complete now, without its end. */
static void finish_line(struct reply *reply)
{
    struct text line = {reply->line, reply->length};
    reply->line[text_without_end(line).length] = '\0';
    reply->length = 0;
    (plan.is_http ? take_http_line : take_desk_line)(reply, reply->line);
}

/* Takes bytes up to the end of a line; returns how many. */
static size_t take_line(struct reply *reply, const char *bytes, size_t length)
{
    char *start = reply->line + reply->length;
    size_t room = sizeof reply->line - reply->length;
    size_t most = length < room ? length : room;
    char *end = memccpy(start, bytes, '\n', most);
    size_t taken = end != NULL ? (size_t)(end - start) : most;

    reply->length += taken;
    if (end != NULL)
        finish_line(reply);
    else if (taken == room)
        conclude(reply, WRONG); /* longer than any right answer */
    return taken;
}

static size_t take_body(struct reply *reply, size_t length)
{
    if (reply->body_left == UNTIL_CLOSE)
        return length;
    if (length > (size_t)reply->body_left)
        length = (size_t)reply->body_left;
    reply->body_left -= (int64_t)length;
    if (reply->body_left == 0)
        conclude(reply, reply->verdict);
    return length;
}

void reply_expect(struct reply *reply, const struct request *request)
{
    reply->request = request;
    reply->verdict = OK;
    reply->length = 0;
    reply->has_status = reply->is_in_body = reply->is_complete = false;
}

enum outcome reply_take(struct reply *reply, const char *bytes, size_t length)
{
    while (length > 0 && !reply->is_complete) {
        size_t taken = reply->is_in_body ? take_body(reply, length)
                                         : take_line(reply, bytes, length);
        bytes += taken;
        length -= taken;
    }
    if (!reply->is_complete)
        return OPEN;
    return length > 0 && reply->verdict == OK ? WRONG : reply->verdict;
}

int64_t reply_body_left(const struct reply *reply)
{
    return reply->is_in_body ? reply->body_left : 0;
}

enum outcome reply_end(const struct reply *reply)
{
    return reply->is_in_body && reply->body_left == UNTIL_CLOSE ? reply->verdict
                                                                : CLOSED;
}
