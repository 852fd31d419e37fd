/* The pure functions of HTTP: requests, paths, dates, conditions, ranges,
 * chunks. What a server does with them is tested over its socket. */

#include <stdint.h>
#include <string.h>

#include "check.h"
#include "http/body.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/path.h"
#include "http/ranges.h"
#include "http/request.h"

static const char head[] = "PUT /a?b HTTP/1.1\r\n"
                           "Host: here:9000\r\n"
                           "CONTENT-length:  42 \r\n"
                           "Connection: x, Close\r\n"
                           "Expect: 100-Continue\r\n"
                           "\r\n";

TEST(a_head_ends_with_its_empty_line)
{
    size_t length = strlen(head);
    for (size_t size = 0; size < length; size++)
        CHECK_NUMBER(http_head_length(head, size), 0);
    CHECK_NUMBER(http_head_length(head, sizeof head), length);
    CHECK_NUMBER(http_head_length("\r\n\nA\n\nB", 7), 6);
}

TEST(a_request_is_read)
{
    struct http_request request;
    CHECK_NUMBER(http_request_read(&request, head, strlen(head)), 0);
    CHECK(text_equals(request.method, "PUT"));
    CHECK(text_equals(request.target, "/a?b"));
    CHECK(text_equals(request.fields[HTTP_HOST], "here:9000"));
    CHECK(request.fields[HTTP_RANGE].at == NULL);
    CHECK(request.has_length && request.content_length == 42);
    CHECK(request.expects_continue);
    CHECK(!request.keeps_alive && !request.is_http_1_0 && !request.is_chunked);
}

/* What becomes of a target: a path, or a status. */
static void check_target(const char *target, int status, const char *path)
{
    char seen[HTTP_PATH_SIZE] = "";
    CHECK_NUMBER(http_path_read(text_of(target), seen), status);
    if (status == 0)
        CHECK_TEXT(seen, path);
}

TEST(paths_are_relative_and_plain)
{
    check_target("/", 0, "");
    check_target("/a", 0, "a");
    check_target("/a/", 0, "a/");
    check_target("/a//./b/../c", 0, "a/c");
    check_target("/a/..", 0, "");
    check_target("/a/b/.", 0, "a/b/");
    check_target("/a%20b?c=%zz", 0, "a b");
    check_target("/%252e%252e", 0, "%2e%2e");
    check_target("/%F0%9F%98%80", 0, "\xf0\x9f\x98\x80");
    check_target("HTTP://host:80/a", 0, "a");
    check_target("http://host", 0, "");
}

TEST(no_path_leads_out)
{
    check_target("/..", 400, NULL);
    check_target("/a/../..", 400, NULL);
    check_target("/%2e%2E/a", 400, NULL);
    check_target("/a%2fb", 400, NULL);
    check_target("/a%5cb", 400, NULL);
    check_target("/a\\b", 400, NULL);
    check_target("/a%00", 400, NULL);
    check_target("/a%0ab", 400, NULL);
    check_target("/%c0%ae", 400, NULL);
    check_target("/%ed%a0%80", 400, NULL);
    check_target("/%f4%90%80%80", 400, NULL);
    check_target("/%e2%82", 400, NULL);
    check_target("/%4", 400, NULL);
    check_target("*", 400, NULL);
    check_target("", 400, NULL);
    check_target("/.a", 403, NULL);
    check_target("/a/%2egit/b", 403, NULL);
    check_target("/...", 403, NULL);
}

static void check_date(int64_t seconds, const char *text)
{
    char written[HTTP_DATE_SIZE];
    int64_t read = -1;
    http_date_write(seconds, written);
    CHECK_TEXT(written, text);
    CHECK(http_date_read(text_of(text), &read));
    CHECK_NUMBER(read, seconds);
}

TEST(dates_are_written_and_read)
{
    check_date(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    check_date(784111777, "Sun, 06 Nov 1994 08:49:37 GMT");
    check_date(951782400, "Tue, 29 Feb 2000 00:00:00 GMT");
    check_date(1709251199, "Thu, 29 Feb 2024 23:59:59 GMT");
    check_date(1798761599, "Thu, 31 Dec 2026 23:59:59 GMT");
    check_date(4107542400, "Mon, 01 Mar 2100 00:00:00 GMT");
    check_date(253402300799, "Fri, 31 Dec 9999 23:59:59 GMT");
}

TEST(every_day_has_its_date)
{
    char before[HTTP_DATE_SIZE] = "", now[HTTP_DATE_SIZE];
    for (int64_t day = 0; day < 60000; day++) {
        int64_t seconds = day * 86400 + day % 86400, read = -1;
        http_date_write(seconds, now);
        CHECK(strcmp(before, now) != 0);
        CHECK(http_date_read(text_of(now), &read) && read == seconds);
        strcpy(before, now);
    }
}

TEST(old_forms_of_dates_are_read)
{
    int64_t read = -1;
    CHECK(http_date_read(text_of("Sunday, 06-Nov-94 08:49:37 GMT"), &read));
    CHECK_NUMBER(read, 784111777);
    CHECK(http_date_read(text_of("Sun Nov  6 08:49:37 1994"), &read));
    CHECK_NUMBER(read, 784111777);
}

TEST(what_is_no_date_is_not_read)
{
    static const char *const texts[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Wed, 29 Feb 2023 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1969 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "06 Nov 1994 08:49:37 GMT",
        "784111777",
    };
    int64_t read;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check(!http_date_read(text_of(texts[i]), &read), texts[i], __FILE__,
              __LINE__);
}

TEST(tags_change_with_the_file)
{
    struct stat file = {.st_ino = 1, .st_size = 2};
    struct http_validators first, second;
    http_validators_of(&first, &file);
    CHECK(first.etag[0] == '"' && strchr(first.etag, '\0')[-1] == '"');
    file.st_size = 3;
    http_validators_of(&second, &file);
    CHECK(strcmp(first.etag, second.etag) != 0);
    file = (struct stat){.st_ino = 2, .st_size = 2};
    http_validators_of(&second, &file);
    CHECK(strcmp(first.etag, second.etag) != 0);
    file = (struct stat){.st_ino = UINT64_MAX, .st_size = INT64_MAX};
    http_validators_of(&second, &file);
    CHECK(strlen(second.etag) < HTTP_ETAG_SIZE);
}

/* The status of a range of a file of 10 bytes, and its bounds if it has any. */
static void check_range(const char *text, int status, int64_t first,
                        int64_t length)
{
    const struct http_validators validators = {.etag = "\"a\""};
    struct http_request request = {.method = text_of("GET")};
    struct http_ranges ranges;
    request.fields[HTTP_RANGE] = text_of(text);
    CHECK_NUMBER(http_ranges_read(&ranges, &request, &validators, 10), status);
    if (status != 416) {
        CHECK_NUMBER(ranges.all[0].first, first);
        CHECK_NUMBER(ranges.all[0].length, length);
    }
}

TEST(ranges_are_read)
{
    check_range("bytes=0-0", 206, 0, 1);
    check_range("bytes=3-", 206, 3, 7);
    check_range("bytes=3-99", 206, 3, 7);
    check_range("bytes= 3 - 4 ", 206, 3, 2);
    check_range("bytes=-4", 206, 6, 4);
    check_range("bytes=-99", 206, 0, 10);
    check_range("bytes=10-", 416, 0, 0);
    check_range("bytes=-0", 416, 0, 0);
    check_range("bytes=4-3", 200, 0, 10);
    check_range("bytes=1-2,4-5", 206, 1, 2);
    check_range("bytes=1-2,2-5", 200, 0, 10);
    check_range("bytes=1-2,x", 200, 0, 10);
    check_range("bytes=,1-2,,", 206, 1, 2);
    check_range("bytes=20-,-1", 206, 9, 1);
    check_range("bytes=--1", 200, 0, 10);
    check_range("bytes=", 200, 0, 10);
    check_range("bits=1-2", 200, 0, 10);
}

static void check_chunk(const char *line, bool is_one, int64_t size)
{
    int64_t seen = -1;
    CHECK(http_chunk_size(text_of(line), &seen) == is_one);
    if (is_one)
        CHECK_NUMBER(seen, size);
}

TEST(sizes_of_chunks_are_read)
{
    check_chunk("0", true, 0);
    check_chunk("00a", true, 10);
    check_chunk("Ff;x=y", true, 255);
    check_chunk("1 ;x", true, 1);
    check_chunk("fffffffffffffff", true, 0xfffffffffffffff);
    check_chunk("1000000000000000", false, 0);
    check_chunk("", false, 0);
    check_chunk(";x", false, 0);
    check_chunk("0x1", false, 0);
    check_chunk("-1", false, 0);
    check_chunk("+1", false, 0);
    check_chunk("1 ", false, 0);
    check_chunk(" 1", false, 0);
    check_chunk(" 1;x", false, 0);
    check_chunk("\t1 ;x", false, 0);
    check_chunk(" ;x", false, 0);
    check_chunk("1;x = \"a;\\\"b\" ; y", true, 1);
    check_chunk("1;", false, 0);
    check_chunk("1;x=", false, 0);
    check_chunk("1;x=\"", false, 0);
    check_chunk("1;x=\"\\\"", false, 0);
    check_chunk("1;x\ry", false, 0);
    check_chunk("1;x=\"\r\"", false, 0);
    check_chunk("1;x\x01", false, 0);
    check_chunk("1;x y", false, 0);
}
