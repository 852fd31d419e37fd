/* Dates by the C library. Its gmtime takes a lock that all threads share, so
 * each thread remembers the dates that it wrote last: "now" is the same text
 * for a whole second, and so is the age of a popular file. */

#ifndef __APPLE__
/* NOLINTNEXTLINE: the name is POSIX's */
#define _XOPEN_SOURCE 700 /* for strptime */
#endif

#include "date.h"

#include <string.h>
#include <time.h>

/* The year 9999 is the last of four digits. */
#define MAX_SECONDS INT64_C(253402300799)

enum { REMEMBERED = 4, MAX_LENGTH = 40, MAX_YEARS_AHEAD = 50, CENTURY = 100 };

/* RFC 9110's own form, RFC 850's, and that of asctime(3). The locale is always
 * "C" here: no server calls setlocale(3). */
enum form { RFC9110, RFC850, ASCTIME, FORMS };

static const char *const forms[FORMS] = {
    [RFC9110] = "%a, %d %b %Y %H:%M:%S GMT",
    [RFC850] = "%A, %d-%b-%y %H:%M:%S GMT",
    [ASCTIME] = "%a %b %e %H:%M:%S %Y",
};

static void write_form(char text[MAX_LENGTH], enum form form,
                       const struct tm *date)
{
    size_t length;
    switch (form) {
    case ASCTIME:
        strftime(text, MAX_LENGTH, "%a %b %e %H:%M:%S %Y", date);
        break;
    case RFC850:
        length = strftime(text, MAX_LENGTH, "%A, %d-%b-", date);
        strftime(text + length, MAX_LENGTH - length, "%Y %H:%M:%S GMT", date);
        text += length; /* the year loses its century */
        memmove(text, text + 2, strlen(text) - 1);
        break;
    default:
        strftime(text, MAX_LENGTH, "%a, %d %b %Y %H:%M:%S GMT", date);
    }
}

void http_date_write(int64_t seconds, char text[HTTP_DATE_SIZE])
{
    static _Thread_local struct {
        int64_t seconds;
        char text[MAX_LENGTH];
    } remembered[REMEMBERED];
    seconds = seconds < 0 ? 0 : seconds > MAX_SECONDS ? MAX_SECONDS : seconds;
    char *last = remembered[seconds % REMEMBERED].text;
    if (*last == '\0' || remembered[seconds % REMEMBERED].seconds != seconds) {
        time_t time = (time_t)seconds;
        struct tm date = {0};
        gmtime_r(&time, &date); /* cannot fail: the year fits */
        write_form(last, RFC9110, &date);
        remembered[seconds % REMEMBERED].seconds = seconds;
    }
    memcpy(text, last, HTTP_DATE_SIZE);
}

/* strptime accepts more than a form says: spaces, missing zeros, a 31 November.
 * So the date is written back and must give the same text. */
static bool is_same(const char *text, enum form form, time_t time)
{
    char again[MAX_LENGTH] = "";
    struct tm date;
    if (gmtime_r(&time, &date) == NULL)
        return false;
    write_form(again, form, &date);
    return strcmp(text, again) == 0;
}

/* Two digits mean the latest such year that is at most 50 years ahead
 * (RFC 9110 section 5.6.7). strptime has another opinion. */
static int year_of(int two_digits)
{
    time_t now = time(NULL);
    struct tm date = {0};
    gmtime_r(&now, &date);
    int latest = date.tm_year + MAX_YEARS_AHEAD;
    return latest - (latest - two_digits) % CENTURY;
}

static bool read_form(const char *text, enum form form, int64_t *seconds)
{
    struct tm date = {0};
    const char *end = strptime(text, forms[form], &date);
    if (end == NULL || *end != '\0')
        return false;
    if (form == RFC850)
        date.tm_year = year_of(date.tm_year % CENTURY);
    time_t time = timegm(&date);
    *seconds = time;
    return time >= 0 && is_same(text, form, time);
}

bool http_date_read(struct text text, int64_t *seconds)
{
    char copy[MAX_LENGTH];
    if (text.at == NULL || text.length >= sizeof copy)
        return false;
    memcpy(copy, text.at, text.length);
    copy[text.length] = '\0';
    if (strlen(copy) != text.length)
        return false; /* a NUL inside */
    for (enum form form = RFC9110; form < FORMS; form++)
        if (read_form(copy, form, seconds))
            return true;
    return false;
}
