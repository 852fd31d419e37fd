/* Listings: what a directory holds and can be asked for, in order. They are
 * made in memory, for a reply says first how long it is. */

#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "status.h"

/* A longer listing is cut off and says so: it would help nobody, and every
 * client that asks for it takes some of the server's memory. */
enum { MAX_ENTRIES = 10000, FIRST_ROOM = 64, DATE_SIZE = 32 };

/* list.html */
extern const char list_html[];

struct entry {
    char name[NAME_MAX + 1];
    bool is_directory;
    off_t size;
    time_t modified;
};

struct entries {
    struct entry *all;
    size_t count, room;
};

/* --- reading the directory ----------------------------------------------- */

/* Fills in an entry, if it is something that can be asked for. */
static bool read_entry(struct entry *entry, int directory, const char *name)
{
    struct stat st;
    size_t length = strlen(name);
    if (length > NAME_MAX || http_name_check(name) != 0 ||
        fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
        !(S_ISDIR(st.st_mode) || S_ISREG(st.st_mode)))
        return false;
    memcpy(entry->name, name, length + 1);
    entry->is_directory = S_ISDIR(st.st_mode);
    entry->size = st.st_size;
    entry->modified = st.st_mtime;
    return true;
}

/* Makes room for one more entry. */
static bool make_room(struct entries *entries)
{
    if (entries->count < entries->room)
        return true;
    size_t room = entries->room > 0 ? 2 * entries->room : FIRST_ROOM;
    struct entry *all = realloc(entries->all, room * sizeof *all);
    if (all == NULL)
        return false;
    entries->all = all;
    entries->room = room;
    return true;
}

/* Directories first, then by name. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->is_directory != b->is_directory)
        return a->is_directory ? -1 : 1;
    return strcmp(a->name, b->name);
}

static bool read_entries(struct entries *entries, DIR *stream)
{
    const struct dirent *next;
    while (entries->count < MAX_ENTRIES && (next = readdir(stream)) != NULL) {
        if (!make_room(entries))
            return false;
        entries->count += read_entry(&entries->all[entries->count],
                                     dirfd(stream), next->d_name);
    }
    if (entries->count > 0)
        qsort(entries->all, entries->count, sizeof *entries->all, compare);
    return true;
}

/* --- writing the page ---------------------------------------------------- */

static void put_escaped(FILE *page, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", page);
            break;
        case '<':
            fputs("&lt;", page);
            break;
        case '>':
            fputs("&gt;", page);
            break;
        case '"':
            fputs("&quot;", page);
            break;
        default:
            fputc(*text, page);
        }
}

static void put_link(FILE *page, const char *name)
{
    char code[sizeof "%XX"];
    for (; *name != '\0'; name++)
        fputs(http_path_encode(*name, code), page);
}

static void put_size(FILE *page, off_t size)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    double scaled = (double)size;
    for (; scaled >= 1000 && unit + 1 < sizeof units / sizeof *units; unit++)
        scaled /= 1000;
    fprintf(page, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, units[unit]);
}

static void put_entry(FILE *page, const struct entry *entry)
{
    const char *slash = entry->is_directory ? "/" : "";
    fputs("<tr><td><a href=\"", page);
    put_link(page, entry->name);
    fprintf(page, "%s\">", slash);
    put_escaped(page, entry->name);
    fprintf(page, "%s</a><td>", slash);
    if (!entry->is_directory)
        put_size(page, entry->size);
    char date[DATE_SIZE] = "";
    struct tm time;
    if (gmtime_r(&entry->modified, &time) != NULL)
        strftime(date, sizeof date, "%Y-%m-%d %H:%M", &time);
    fprintf(page, "<td>%s</tr>\n", date);
}

static void put_entries(FILE *page, const struct entries *entries)
{
    fputs("<table>\n<tr><th>name<th>size<th>changed (UTC)</tr>\n", page);
    for (size_t i = 0; i < entries->count; i++)
        put_entry(page, &entries->all[i]);
    fputs("</table>\n", page);
    if (entries->count == MAX_ENTRIES)
        fprintf(page, "<p>Only %d entries are listed.</p>\n", MAX_ENTRIES);
}

static void put_page(FILE *page, const struct http_exchange *exchange,
                     const struct entries *entries)
{
    fputs(list_html, page);
    fputs("<title>/", page);
    put_escaped(page, exchange->path);
    fputs("</title>\n<h1>/", page);
    put_escaped(page, exchange->path);
    fputs("</h1>\n", page);
    if (*exchange->path != '\0')
        fputs("<p><a href=\"../\">up</a></p>\n", page);
    put_entries(page, entries);
    fputs(exchange->site->page_end, page);
}

/* --- the reply ----------------------------------------------------------- */

static int answer_page(struct http_exchange *exchange,
                       const struct entries *entries)
{
    char *text = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&text, &length);
    if (page == NULL)
        return 503;
    put_page(page, exchange, entries);
    bool is_whole = ferror(page) == 0;
    is_whole = fclose(page) == 0 && is_whole;
    if (is_whole) {
        struct http_reply *reply = http_begin(exchange, 200);
        http_reply_field(reply, "Content-Type", "text/html; charset=utf-8");
        http_reply_field(reply, "Cache-Control", "no-cache");
        http_reply_end_with(reply, text, length);
    }
    free(text);
    return is_whole ? 0 : 503;
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
    struct entries entries = {0};
    int status =
        read_entries(&entries, stream) ? answer_page(exchange, &entries) : 503;
    free(entries.all);
    closedir(stream);
    return status;
}
