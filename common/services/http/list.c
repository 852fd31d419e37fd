/* Listings: what a directory has and can be asked for, in order, as a page that
 * is sent while the directory is read. */

#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "entries.h"
#include "status.h"
#include "stream.h"

/* list.html */
extern const char list_html[];

enum { DATE_SIZE = 32, NUMBER_SIZE = 64 };

/* --- pieces of the page -------------------------------------------------- */

static void put_escaped(struct http_stream *page, const char *text)
{
    for (; *text != '\0'; text++) {
        const char itself[] = {*text, '\0'};
        http_stream_put(page, *text == '&'   ? "&amp;"
                              : *text == '<' ? "&lt;"
                              : *text == '>' ? "&gt;"
                              : *text == '"' ? "&quot;"
                                             : itself);
    }
}

static void put_link(struct http_stream *page, const char *name)
{
    char code[sizeof "%XX"];
    for (; *name != '\0'; name++)
        http_stream_put(page, http_path_encode(*name, code));
}

/* The size for people, and in bytes for the script that sorts. */
static void put_size(struct http_stream *page, off_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    char text[NUMBER_SIZE];
    size_t unit = 0;
    double scaled = (double)size;
    for (; scaled >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        scaled /= 1000;
    snprintf(text, sizeof text, "<td data-key=\"%" PRIdMAX "\">%.*f %s",
             (intmax_t)size, unit == 0 ? 0 : 1, scaled, units[unit]);
    http_stream_put(page, text);
}

static void put_date(struct http_stream *page, time_t time)
{
    char text[DATE_SIZE] = "";
    struct tm date;
    if (gmtime_r(&time, &date) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M", &date);
    http_stream_put(page, "<td>");
    http_stream_put(page, text);
}

/* --- the page ------------------------------------------------------------ */

/* One row; none for an entry that has gone meanwhile. */
static void put_entry(struct http_stream *page, int directory,
                      const char *entry)
{
    bool is_directory = *entry == 'd';
    const char *name = entry + 1, *slash = is_directory ? "/" : "";
    struct stat st;
    if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return;
    http_stream_put(page, "<tr><td><a href=\"");
    put_link(page, name);
    http_stream_put(page, slash);
    http_stream_put(page, "\">");
    put_escaped(page, name);
    http_stream_put(page, slash);
    http_stream_put(page, "</a>");
    if (is_directory)
        http_stream_put(page, "<td data-key=\"-1\">");
    else
        put_size(page, st.st_size);
    put_date(page, st.st_mtime);
    http_stream_put(page, "</tr>\n");
}

static void put_top(struct http_stream *page,
                    const struct http_exchange *exchange)
{
    http_stream_put(page, list_html);
    http_stream_put(page, "<title>/");
    put_escaped(page, exchange->path);
    http_stream_put(page, "</title>\n<h1>/");
    put_escaped(page, exchange->path);
    http_stream_put(page, "</h1>\n");
    http_stream_put(page, exchange->site->page_top);
    if (*exchange->path != '\0')
        http_stream_put(page, "<p><a href=\"../\">up</a></p>\n");
    http_stream_put(page, "<table>\n<thead><tr><th>name<th>size"
                          "<th>changed (UTC)</tr></thead>\n<tbody>\n");
}

/* Sends the page as far as the directory can be read and the client reached. */
static void send_page(struct http_exchange *exchange, struct entries *entries)
{
    struct http_stream page;
    const char *entry;
    http_stream_begin(&page, exchange, "text/html; charset=utf-8");
    put_top(&page, exchange);
    while (!page.reply->is_lost && (entry = entries_next(entries)) != NULL)
        put_entry(&page, dirfd(entries->stream), entry);
    if (!page.reply->is_lost && errno != 0) {
        http_stream_break(&page);
        return;
    }
    http_stream_put(&page, "</tbody>\n</table>\n");
    http_stream_end(&page);
}

/* --- the reply ----------------------------------------------------------- */

/* Nothing is sent before the directory was read once: until then, what fails is
 * told by a status. */
static int list(struct http_exchange *exchange, DIR *stream)
{
    struct entries *entries = malloc(sizeof *entries);
    if (entries == NULL)
        return http_status_of(errno);
    int status = 0;
    if (entries_open(entries, stream) == -1)
        status = http_refuse(exchange, http_status_of(errno),
                             "The directory cannot be read to its end.");
    else
        send_page(exchange, entries);
    free(entries);
    return status;
}

int http_list(struct http_exchange *exchange, int directory)
{
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own != -1 ? fdopendir(own) : NULL;
    if (stream == NULL) {
        int status = http_status_of(errno);
        if (own != -1)
            close(own);
        return status;
    }
    int status = list(exchange, stream);
    closedir(stream);
    return status;
}
