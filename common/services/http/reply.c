/* Replies. */

#include "reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "date.h"
#include "status.h"
#include "write.h"

enum { MAX_EXPLANATION = 200 };

/* Else files from 2 GiB on could not be opened on 32 bits. */
_Static_assert(sizeof(off_t) == 8, "needs -D_FILE_OFFSET_BITS=64");

/* --- bytes --------------------------------------------------------------- */

void http_reply_open(struct http_reply *reply, int client)
{
    reply->client = client;
    reply->is_for_head = false;
    reply->status = 0;
    reply->connection = HTTP_CLOSE;
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

void http_reply_date(struct http_reply *reply, const char *name,
                     int64_t seconds)
{
    char date[HTTP_DATE_SIZE];
    http_date_write(seconds, date);
    http_reply_field(reply, name, date);
}

void http_reply_begin(struct http_reply *reply, int status,
                      enum http_connection connection)
{
    const struct http_status *found = http_status_find(status);
    reply->status = found->number;
    reply->connection = connection;
    http_reply_put(reply, "HTTP/1.1 ");
    http_reply_put_number(reply, found->number);
    http_reply_put(reply, " ");
    http_reply_put(reply, found->phrase);
    http_reply_field_end(reply);
    http_reply_date(reply, "Date", (int64_t)time(NULL));
    /* A client of HTTP/1.0 must be told, one of 1.1 may be. */
    http_reply_field(reply, "Connection",
                     connection == HTTP_KEEP_ALIVE ? "keep-alive" : "close");
}

/* --- bodies -------------------------------------------------------------- */

void http_reply_end(struct http_reply *reply)
{
    http_reply_put(reply, "\r\n");
}

void http_reply_end_head(struct http_reply *reply, int64_t size)
{
    http_reply_field_begin(reply, "Content-Length");
    http_reply_put_number(reply, size);
    http_reply_field_end(reply);
    http_reply_put(reply, "\r\n");
}

void http_reply_end_with(struct http_reply *reply, const char *body,
                         size_t size)
{
    http_reply_end_head(reply, (int64_t)size);
    if (!reply->is_for_head)
        http_reply_put_bytes(reply, body, size);
}

/* Puts the first bytes of the file into the buffer, up to size, so that they
 * leave together with the head. Returns how many. */
static off_t fill_from_file(struct http_reply *reply, int file, off_t offset,
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

void http_reply_put_file(struct http_reply *reply, int file, off_t offset,
                         off_t size)
{
    off_t count = fill_from_file(reply, file, offset, size);
    if (count == size)
        return;
    http_reply_send(reply);
    if (!reply->is_lost &&
        write_file(reply->client, file, offset + count, size - count) == -1)
        http_reply_lose(reply, errno);
}

void http_reply_end_with_file(struct http_reply *reply, int file, off_t offset,
                              off_t size)
{
    http_reply_end_head(reply, size);
    if (!reply->is_for_head)
        http_reply_put_file(reply, file, offset, size);
}

void http_reply_explain(struct http_reply *reply, const char *why)
{
    const struct http_status *status = http_status_find(reply->status);
    if (status->explanation == NULL) {
        http_reply_end(reply);
        return;
    }
    char words[MAX_EXPLANATION];
    int length =
        snprintf(words, sizeof words, "%d %s. %s\n", status->number,
                 status->phrase, why != NULL ? why : status->explanation);
    http_reply_field(reply, "Content-Type", "text/plain; charset=utf-8");
    http_reply_end_with(reply, words, (size_t)length);
}
