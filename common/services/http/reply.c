/* Replies, and the words for every status there is. */

#include "reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "date.h"
#include "write.h"

enum { LONGEST_WORDS = 160 };

struct status {
    int number;
    const char *phrase;
    const char *explanation; /* for people; NULL where there is no body */
};

static const struct status statuses[] = {
    {200, "OK", NULL},
    {201, "Created", "It is stored under this name."},
    {204, "No Content", NULL},
    {206, "Partial Content", NULL},
    {301, "Moved Permanently", "A directory's name ends with a slash."},
    {304, "Not Modified", NULL},
    {400, "Bad Request", "This is not a request that can be understood."},
    {403, "Forbidden", "This may not be done, or not from here."},
    {404, "Not Found", "There is no file of this name."},
    {405, "Method Not Allowed", "Allow lists what can be done with it."},
    {408, "Request Timeout", "The request took too long to arrive."},
    {409, "Conflict", "Only a file in a directory that exists can be changed."},
    {411, "Length Required", "An upload must say how long it is."},
    {412, "Precondition Failed", "The file is not as the request wants it."},
    {413, "Content Too Large", "Uploads are limited to less than this."},
    {414, "URI Too Long", "A target has 8000 bytes at most."},
    {416, "Range Not Satisfiable", "The file is shorter than that."},
    {417, "Expectation Failed", "Nothing but 100-continue can be expected."},
    {431, "Request Header Fields Too Large",
     "A head has 16384 bytes and 100 fields at most."},
    {500, "Internal Server Error", "The file cannot be used."},
    {501, "Not Implemented", "This server knows no such method or coding."},
    {503, "Service Unavailable", "Something is short. Please try again."},
    {505, "HTTP Version Not Supported", "This server speaks HTTP/1.1."},
    {507, "Insufficient Storage", "There is no space for it."},
};

static const struct status *find_status(int number)
{
    const struct status *status = statuses;
    while (status->number != number)
        status++;
    return status;
}

/* --- what is said -------------------------------------------------------- */

void http_reply_open(struct http_reply *reply, int client)
{
    reply->client = client;
    reply->status = 0;
    reply->is_for_head = false;
    reply->keeps_alive = false;
    reply->is_lost = false;
    reply->error = 0;
    reply->length = 0;
}

void http_reply_lose(struct http_reply *reply, int error)
{
    reply->is_lost = true;
    reply->error = error;
}

void http_reply_send(struct http_reply *reply)
{
    if (!reply->is_lost &&
        write_all(reply->client, reply->bytes, reply->length) == -1)
        http_reply_lose(reply, errno);
    reply->length = 0;
}

void http_reply_put_bytes(struct http_reply *reply, const char *bytes,
                          size_t size)
{
    while (size > sizeof reply->bytes - reply->length) {
        size_t room = sizeof reply->bytes - reply->length;
        memcpy(reply->bytes + reply->length, bytes, room);
        reply->length += room;
        http_reply_send(reply);
        bytes += room;
        size -= room;
    }
    memcpy(reply->bytes + reply->length, bytes, size);
    reply->length += size;
}

void http_reply_put(struct http_reply *reply, const char *text)
{
    http_reply_put_bytes(reply, text, strlen(text));
}

void http_reply_put_number(struct http_reply *reply, int64_t number)
{
    char digits[sizeof "-9223372036854775808"];
    snprintf(digits, sizeof digits, "%" PRId64, number);
    http_reply_put(reply, digits);
}

/* --- heads --------------------------------------------------------------- */

void http_reply_field_begin(struct http_reply *reply, const char *name)
{
    http_reply_put(reply, name);
    http_reply_put(reply, ": ");
}

void http_reply_field_end(struct http_reply *reply)
{
    http_reply_put(reply, "\r\n");
}

void http_reply_field(struct http_reply *reply, const char *name,
                      const char *value)
{
    http_reply_field_begin(reply, name);
    http_reply_put(reply, value);
    http_reply_field_end(reply);
}

void http_reply_number(struct http_reply *reply, const char *name,
                       int64_t number)
{
    http_reply_field_begin(reply, name);
    http_reply_put_number(reply, number);
    http_reply_field_end(reply);
}

void http_reply_date(struct http_reply *reply, const char *name,
                     int64_t seconds)
{
    char date[HTTP_DATE_SIZE];
    http_date_write(seconds, date);
    http_reply_field(reply, name, date);
}

void http_reply_begin(struct http_reply *reply, int status)
{
    reply->status = status;
    http_reply_put(reply, "HTTP/1.1 ");
    http_reply_put_number(reply, status);
    http_reply_put(reply, " ");
    http_reply_put(reply, find_status(status)->phrase);
    http_reply_field_end(reply);
    http_reply_date(reply, "Date", (int64_t)time(NULL));
    /* A client of HTTP/1.0 must be told, one of 1.1 may be. */
    http_reply_field(reply, "Connection",
                     reply->keeps_alive ? "keep-alive" : "close");
}

/* --- bodies -------------------------------------------------------------- */

void http_reply_end(struct http_reply *reply)
{
    http_reply_put(reply, "\r\n");
}

static void end_head(struct http_reply *reply, int64_t size)
{
    http_reply_number(reply, "Content-Length", size);
    http_reply_put(reply, "\r\n");
}

void http_reply_end_with(struct http_reply *reply, const char *body,
                         size_t size)
{
    end_head(reply, (int64_t)size);
    if (!reply->is_for_head)
        http_reply_put_bytes(reply, body, size);
}

/* Puts the first bytes of the file into the buffer, up to size, so that they
 * leave together with the head. Returns how many. */
static off_t put_file(struct http_reply *reply, int file, off_t offset,
                      off_t size)
{
    size_t room = sizeof reply->bytes - reply->length;
    if (size < (off_t)room)
        room = (size_t)size;
    size_t done = 0;
    while (done < room && !reply->is_lost) {
        ssize_t count = pread(file, reply->bytes + reply->length + done,
                              room - done, offset + (off_t)done);
        if (count > 0)
            done += (size_t)count;
        else if (count == 0 || errno != EINTR)
            http_reply_lose(reply, EIO); /* it has become shorter, or broken */
    }
    reply->length += done;
    return (off_t)room;
}

void http_reply_end_with_file(struct http_reply *reply, int file, off_t offset,
                              off_t size)
{
    end_head(reply, size);
    if (reply->is_for_head || size == 0)
        return;
    off_t count = put_file(reply, file, offset, size);
    if (count == size)
        return;
    http_reply_send(reply);
    if (!reply->is_lost &&
        write_file(reply->client, file, offset + count, size - count) == -1)
        http_reply_lose(reply, errno);
}

void http_reply_explain(struct http_reply *reply)
{
    const struct status *status = find_status(reply->status);
    if (status->explanation == NULL) {
        http_reply_end(reply);
        return;
    }
    char words[LONGEST_WORDS];
    int length = snprintf(words, sizeof words, "%d %s. %s\n", status->number,
                          status->phrase, status->explanation);
    http_reply_field(reply, "Content-Type", "text/plain; charset=utf-8");
    http_reply_end_with(reply, words, (size_t)length);
}
