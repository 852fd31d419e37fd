/* Dates, without the C library: strftime depends on the locale, and gmtime
 * takes a lock that all threads would share. */

#include "date.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

enum {
    SECONDS_PER_DAY = 86400,
    DAYS_PER_YEAR = 365,
    FIRST_YEAR = 1970,
    FIRST_WEEKDAY = 4, /* 1 January 1970 was a Thursday */
    LAST_YEAR = 9999,
    CENTURY = 100,
};
#define LAST_SECOND INT64_C(253402300799) /* 31 December 9999, 23:59:59 */

static const char weekdays[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
enum { NAME_LENGTH = 3, MONTHS = 12 };

/* Days from the first of January to the first of each month. */
static const int64_t days_before_month[MONTHS + 1] = {
    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

struct date {
    int64_t year, month, day, hour, minute, second; /* the month is 0 to 11 */
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970 to the first of January of a year from 1970. */
static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;
    int64_t leap_days = past / 4 - past / 100 + past / 400;
    int64_t leap_days_before_1970 = 1969 / 4 - 1969 / 100 + 1969 / 400;
    return (year - FIRST_YEAR) * DAYS_PER_YEAR + leap_days -
           leap_days_before_1970;
}

static int64_t days_before(int64_t year, int64_t month)
{
    bool has_leap_day = month > 1 && is_leap(year);
    return days_before_year(year) + days_before_month[month] + has_leap_day;
}

static struct date date_of(int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    int64_t of_day = seconds % SECONDS_PER_DAY;
    struct date date = {.year = FIRST_YEAR + days / (DAYS_PER_YEAR + 1),
                        .hour = of_day / 3600,
                        .minute = of_day / 60 % 60,
                        .second = of_day % 60};
    while (days_before_year(date.year + 1) <= days) /* the guess is low */
        date.year++;
    while (days_before(date.year, date.month + 1) <= days)
        date.month++;
    date.day = days - days_before(date.year, date.month) + 1;
    return date;
}

static char *put_digits(char *to, int64_t number, int count)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
    return to + count;
}

static char *put_text(char *to, const char *text, size_t length)
{
    memcpy(to, text, length);
    return to + length;
}

void http_date_write(int64_t seconds, char text[HTTP_DATE_SIZE])
{
    seconds = seconds < 0 ? 0 : seconds > LAST_SECOND ? LAST_SECOND : seconds;
    struct date date = date_of(seconds);
    int64_t weekday = (seconds / SECONDS_PER_DAY + FIRST_WEEKDAY) % 7;

    text = put_text(text, weekdays + weekday * NAME_LENGTH, NAME_LENGTH);
    text = put_text(text, ", ", 2);
    text = put_digits(text, date.day, 2);
    *text++ = ' ';
    text = put_text(text, months + date.month * NAME_LENGTH, NAME_LENGTH);
    *text++ = ' ';
    text = put_digits(text, date.year, 4);
    *text++ = ' ';
    text = put_digits(text, date.hour, 2);
    *text++ = ':';
    text = put_digits(text, date.minute, 2);
    *text++ = ':';
    text = put_digits(text, date.second, 2);
    put_text(text, " GMT", sizeof " GMT");
}

/* The three forms: RFC 9110's own, RFC 850's and asctime's. Small letters are
 * digits of the day, year, hour, minute and second (a first digit of the day
 * may be a space), N is the name of a month, W that of a weekday (of which
 * nobody needs to know more), and anything else is itself. */
static const char *const forms[] = {
    "W, dd N yyyy hh:mm:ss GMT",
    "W, dd-N-yy hh:mm:ss GMT",
    "W N dd hh:mm:ss yyyy",
};

static struct http_text without_first(struct http_text text, size_t count)
{
    return (struct http_text){text.at + count, text.length - count};
}

static bool take_month(struct http_text *rest, int64_t *month)
{
    for (*month = 0; *month < MONTHS && rest->length >= NAME_LENGTH; ++*month)
        if (memcmp(rest->at, months + *month * NAME_LENGTH, NAME_LENGTH) == 0) {
            *rest = without_first(*rest, NAME_LENGTH);
            return true;
        }
    return false;
}

static bool take_weekday(struct http_text *rest)
{
    size_t length = 0;
    while (length < rest->length && isalpha((unsigned char)rest->at[length]))
        length++;
    *rest = without_first(*rest, length);
    return length >= NAME_LENGTH;
}

static int64_t *field_of(struct date *date, char letter)
{
    switch (letter) {
    case 'd':
        return &date->day;
    case 'y':
        return &date->year;
    case 'h':
        return &date->hour;
    case 'm':
        return &date->minute;
    case 's':
        return &date->second;
    default:
        return NULL;
    }
}

static bool take_character(struct http_text *rest, char form, struct date *date)
{
    if (rest->length == 0)
        return false;
    char c = *rest->at;
    int64_t *field = field_of(date, form);
    *rest = without_first(*rest, 1);
    if (field == NULL)
        return c == form;
    if (form == 'd' && c == ' ' && *field == 0)
        return true;
    *field = *field * 10 + (c - '0');
    return c >= '0' && c <= '9';
}

static bool take_form(struct http_text rest, const char *form,
                      struct date *date)
{
    bool matches = true;
    for (; matches && *form != '\0'; form++)
        matches = *form == 'N'   ? take_month(&rest, &date->month)
                  : *form == 'W' ? take_weekday(&rest)
                                 : take_character(&rest, *form, date);
    return matches && rest.length == 0;
}

/* Two digits mean the latest such year that is at most 50 years ahead. */
static int64_t whole_year(int64_t two_digits)
{
    int64_t latest =
        date_of((int64_t)time(NULL)).year + CENTURY / 2; /* cannot fail */
    return latest - (latest - two_digits) % CENTURY;
}

static bool is_possible(const struct date *date)
{
    if (date->year < FIRST_YEAR || date->month >= MONTHS)
        return false;
    int64_t length = days_before(date->year, date->month + 1) -
                     days_before(date->year, date->month);
    return date->day >= 1 && date->day <= length && date->hour < 24 &&
           date->minute < 60 && date->second <= 60; /* 60: a leap second */
}

bool http_date_read(struct http_text text, int64_t *seconds)
{
    for (size_t i = 0; text.at != NULL && i < sizeof forms / sizeof *forms;
         i++) {
        struct date date = {0};
        if (!take_form(text, forms[i], &date))
            continue;
        if (date.year < CENTURY && strstr(forms[i], "yyyy") == NULL)
            date.year = whole_year(date.year);
        if (!is_possible(&date))
            return false;
        int64_t days = days_before(date.year, date.month) + date.day - 1;
        *seconds = days * SECONDS_PER_DAY + date.hour * 3600 +
                   date.minute * 60 + date.second;
        return true;
    }
    return false;
}
