/* GET and HEAD: files, directories, and work that is ordered by its path. */

#include "get.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "conditions.h"
#include "list.h"
#include "location.h"
#include "ranges.h"
#include "services/work.h"
#include "status.h"
#include "types.h"

enum { BOUNDARY_SIZE = 48, PART_HEAD_SIZE = 256 };

/* --- work ---------------------------------------------------------------- */

/* Kinds of work, by the beginning of their paths: sleep/100 waits 100 ms. */
static const struct work {
    const char *prefix;
    int (*run)(int client, long ms);
} works[] = {
    {"sleep/", work_sleep},
    {"burn/", work_burn},
};

/* The work that a path orders, and for how long; NULL if it is none. */
static const struct work *find_work(const char *path, int64_t *ms)
{
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        size_t length = strlen(works[i].prefix);
        if (strncmp(path, works[i].prefix, length) == 0 &&
            text_number(text_of(path + length), ms))
            return &works[i];
    }
    return NULL;
}

static int answer_work(struct http_exchange *exchange, const struct work *work,
                       int64_t ms)
{
    if (ms > work_max_ms())
        return 400;
    if (work->run(exchange->reply.client, (long)ms) == -1) {
        http_reply_lose(&exchange->reply, errno);
        return 0;
    }
    struct http_reply *reply = http_begin(exchange, 200);
    http_reply_field(reply, "Content-Type", "text/plain; charset=utf-8");
    http_reply_field(reply, "Cache-Control", "no-store");
    http_reply_end_with(reply, "ok\n", strlen("ok\n"));
    return 0;
}

/* --- files --------------------------------------------------------------- */

/* A file that was found and may be served. */
struct found {
    int file;
    const char *type;
    int64_t size;
    struct http_validators validators;
};

static void answer_out_of_range(struct http_exchange *exchange,
                                const struct found *found)
{
    struct http_reply *reply = http_begin(exchange, 416);
    http_reply_field_begin(reply, "Content-Range");
    http_reply_put(reply, "bytes */");
    http_reply_put_number(reply, found->size);
    http_reply_field_end(reply);
    http_reply_explain(reply, NULL);
}

/* "bytes 0-9/100" */
static void put_extent(struct http_reply *reply, const struct http_range *range,
                       int64_t size)
{
    http_reply_field_begin(reply, "Content-Range");
    http_reply_put(reply, "bytes ");
    http_reply_put_number(reply, range->first);
    http_reply_put(reply, "-");
    http_reply_put_number(reply, range->first + range->length - 1);
    http_reply_put(reply, "/");
    http_reply_put_number(reply, size);
    http_reply_field_end(reply);
}

/* Begins a reply that tells the state of the file. */
static struct http_reply *begin_state(struct http_exchange *exchange,
                                      const struct found *found, int status)
{
    struct http_reply *reply = http_begin(exchange, status);
    http_reply_field(reply, "ETag", found->validators.etag);
    http_reply_date(reply, "Last-Modified", found->validators.modified);
    http_reply_field(reply, "Cache-Control", "no-cache"); /* before asking */
    return reply;
}

/* Sends the file, or one part of it. */
static void answer_part(struct http_exchange *exchange,
                        const struct found *found, int status,
                        const struct http_range *range)
{
    struct http_reply *reply = begin_state(exchange, found, status);
    http_reply_field(reply, "Content-Type", found->type);
    http_reply_field(reply, "Accept-Ranges", "bytes");
    if (status == 206)
        put_extent(reply, range, found->size);
    http_reply_end_with_file(reply, found->file, range->first, range->length);
}

/* --- several parts at once (RFC 9110 section 14.6) ------------------------ */

/* A line between parts that is in no file but by an unlikely accident. */
static void choose_boundary(char boundary[BOUNDARY_SIZE])
{
    static atomic_uint count;
    snprintf(boundary, BOUNDARY_SIZE, "part-%016" PRIx64 "-%x",
             (uint64_t)now_ns() * UINT64_C(0x9E3779B97F4A7C15),
             atomic_fetch_add(&count, 1));
}

/* Writes what stands before a part; behind the last, range is NULL. Returns its
 * length. */
static int write_part_head(char head[PART_HEAD_SIZE], const char *boundary,
                           const struct found *found,
                           const struct http_range *range)
{
    if (range == NULL)
        return snprintf(head, PART_HEAD_SIZE, "\r\n--%s--\r\n", boundary);
    return snprintf(head, PART_HEAD_SIZE,
                    "\r\n--%s\r\nContent-Type: %s\r\n"
                    "Content-Range: bytes %" PRId64 "-%" PRId64 "/%" PRId64
                    "\r\n\r\n",
                    boundary, found->type, range->first,
                    range->first + range->length - 1, found->size);
}

static void answer_parts(struct http_exchange *exchange,
                         const struct found *found,
                         const struct http_ranges *ranges)
{
    char boundary[BOUNDARY_SIZE], head[PART_HEAD_SIZE];
    choose_boundary(boundary);
    int64_t length = write_part_head(head, boundary, found, NULL);
    for (int i = 0; i < ranges->count; i++)
        length += write_part_head(head, boundary, found, &ranges->all[i]) +
                  ranges->all[i].length;

    struct http_reply *reply = begin_state(exchange, found, 206);
    http_reply_field_begin(reply, "Content-Type");
    http_reply_put(reply, "multipart/byteranges; boundary=");
    http_reply_put(reply, boundary);
    http_reply_field_end(reply);
    http_reply_end_head(reply, length);
    for (int i = 0; i < ranges->count; i++) {
        write_part_head(head, boundary, found, &ranges->all[i]);
        http_reply_put(reply, head);
        http_reply_put_file(reply, found->file, ranges->all[i].first,
                            ranges->all[i].length);
    }
    write_part_head(head, boundary, found, NULL);
    http_reply_put(reply, head);
}

/* --- a file and its state ------------------------------------------------ */

/* Answers with a file and its state. */
static int answer_found(struct http_exchange *exchange, int file,
                        const char *name, const struct stat *st)
{
    const struct http_request *request = &exchange->request;
    struct http_ranges ranges = {.count = 0};
    struct found found = {
        .file = file, .type = http_type_of(name, file), .size = st->st_size};
    http_validators_of(&found.validators, st);
    int status = http_conditions_check(request, &found.validators, true);
    if (status == 0)
        status =
            http_ranges_read(&ranges, request, &found.validators, found.size);
    if (status == 412)
        return status;
    if (status == 304)
        http_reply_end(begin_state(exchange, &found, status));
    else if (status == 416)
        answer_out_of_range(exchange, &found);
    else if (ranges.count > 1)
        answer_parts(exchange, &found, &ranges);
    else
        answer_part(exchange, &found, status, &ranges.all[0]);
    return 0;
}

/* --- directories --------------------------------------------------------- */

static bool means_directory(const char *path)
{
    return *path == '\0' || path[strlen(path) - 1] == '/';
}

/* The directory's name lacks its slash, without which the relative links in its
 * page would be wrong. */
static int redirect_to_directory(struct http_exchange *exchange)
{
    struct text query = exchange->request.target;
    char code[sizeof "%XX"];
    text_take(&query, '?');
    struct http_reply *reply = http_begin(exchange, 301);
    http_reply_field_begin(reply, "Location");
    http_reply_put(reply, "/");
    for (const char *c = exchange->path; *c != '\0'; c++)
        http_reply_put(reply, http_path_encode(*c, code));
    http_reply_put(reply, "/");
    if (query.at != NULL) {
        http_reply_put(reply, "?");
        http_reply_put_bytes(reply, query.at, query.length);
    }
    http_reply_field_end(reply);
    http_reply_explain(reply, NULL);
    return 0;
}

/* --- whatever the path names --------------------------------------------- */

/* Answers with what was opened, if it can be served: no device, no FIFO. */
static int answer_file(struct http_exchange *exchange, int file,
                       const char *name)
{
    struct stat st;
    if (fstat(file, &st) == -1)
        return http_status_of(errno);
    if (S_ISDIR(st.st_mode) && !means_directory(exchange->path))
        return redirect_to_directory(exchange);
    if (!S_ISREG(st.st_mode))
        return 403;
    return answer_found(exchange, file, name, &st);
}

/* Finds what the path names and opens it: of a directory its index, or else
 * the directory itself is listed. */
static int answer_path(struct http_exchange *exchange)
{
    struct http_location location;
    bool is_directory = means_directory(exchange->path);
    if (http_location_find(&location, exchange->path) == -1)
        return http_status_of(errno);
    const char *name = is_directory ? "index.html" : location.name;
    int file = http_file_open(location.directory, name);
    int status;
    if (file != -1)
        status = answer_file(exchange, file, name);
    else if (is_directory && errno == ENOENT)
        status = http_list(exchange, location.directory);
    else
        status = http_status_of(errno);
    if (file != -1)
        close(file);
    http_location_close(&location);
    return status;
}

int http_get(struct http_exchange *exchange)
{
    int status = http_path_read(exchange->request.target, exchange->path);
    if (status != 0)
        return status;
    int64_t ms;
    const struct work *work = find_work(exchange->path, &ms);
    return work != NULL ? answer_work(exchange, work, ms)
                        : answer_path(exchange);
}
