/* Conditions and ranges. What cannot be understood is as if it were not there,
 * which is what RFC 9110 asks for: the client then gets too much, never too
 * little. */

#include "conditions.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "date.h"

/* --- validators ---------------------------------------------------------- */

#ifdef __APPLE__
#define MODIFIED(file) ((file)->st_mtimespec)
#else
#define MODIFIED(file) ((file)->st_mtim)
#endif

void http_validators_of(struct http_validators *validators,
                        const struct stat *file)
{
    struct timespec modified = MODIFIED(file);
    validators->modified = modified.tv_sec;
    uint64_t ns =
        (uint64_t)modified.tv_sec * NS_PER_S + (uint64_t)modified.tv_nsec;
    snprintf(validators->etag, sizeof validators->etag,
             "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", ns,
             (uint64_t)file->st_size, (uint64_t)file->st_ino);
}

/* --- conditions ---------------------------------------------------------- */

/* Is the present state among those listed? A weak tag, W/"...", promises less
 * than the same bytes: enough for a client that asks whether to fetch again,
 * not for one that is about to overwrite. */
static bool is_listed(struct http_text list,
                      const struct http_validators *validators,
                      bool is_weak_enough)
{
    while (validators != NULL && list.at != NULL) {
        struct http_text tag = http_text_trim(http_text_take(&list, ','));
        if (http_text_equals(tag, "*"))
            return true;
        if (is_weak_enough && http_text_begins(tag, "W/")) {
            tag.at += strlen("W/");
            tag.length -= strlen("W/");
        }
        if (http_text_equals(tag, validators->etag))
            return true;
    }
    return false;
}

/* Did the file change after the date? No, if that is no date. */
static bool is_changed_since(struct http_text date,
                             const struct http_validators *validators)
{
    int64_t seconds;
    return date.at != NULL && validators != NULL &&
           http_date_read(date, &seconds) && validators->modified > seconds;
}

static bool is_unchanged_since(struct http_text date,
                               const struct http_validators *validators)
{
    int64_t seconds;
    return date.at != NULL && validators != NULL &&
           http_date_read(date, &seconds) && validators->modified <= seconds;
}

bool http_is_conditional(const struct http_request *request)
{
    return request->fields[HTTP_IF_MATCH].at != NULL ||
           request->fields[HTTP_IF_NONE_MATCH].at != NULL ||
           request->fields[HTTP_IF_MODIFIED_SINCE].at != NULL ||
           request->fields[HTTP_IF_UNMODIFIED_SINCE].at != NULL;
}

/* In the order of RFC 9110 section 13.2.2: tags win over dates. */
int http_conditions_check(const struct http_request *request,
                          const struct http_validators *validators,
                          bool is_read)
{
    const struct http_text *fields = request->fields;
    if (fields[HTTP_IF_MATCH].at != NULL) {
        if (!is_listed(fields[HTTP_IF_MATCH], validators, false))
            return 412;
    } else if (is_changed_since(fields[HTTP_IF_UNMODIFIED_SINCE], validators)) {
        return 412;
    }
    if (fields[HTTP_IF_NONE_MATCH].at != NULL) {
        if (is_listed(fields[HTTP_IF_NONE_MATCH], validators, true))
            return is_read ? 304 : 412;
    } else if (is_read &&
               is_unchanged_since(fields[HTTP_IF_MODIFIED_SINCE], validators)) {
        return 304;
    }
    return 0;
}

/* --- ranges -------------------------------------------------------------- */

/* Does the client hold a part of the present state? Only then can another part
 * be of use to it. */
static bool is_same_state(struct http_text state,
                          const struct http_validators *validators)
{
    int64_t seconds;
    if (http_date_read(state, &seconds))
        return seconds == validators->modified;
    return http_text_equals(state, validators->etag);
}

/* "first-", "first-last" or "-count of the last" (RFC 9110 section 14.1.2).
 * Returns the status, 200 for what is none of these. */
static int read_one_range(struct http_range *range, struct http_text text,
                          int64_t size)
{
    int64_t first, last = size - 1;
    struct http_text end = text;
    struct http_text begin = http_text_trim(http_text_take(&end, '-'));
    end = http_text_trim(end);
    if (begin.length > 0) {
        if (!http_text_number(begin, &first) ||
            (end.length > 0 && !http_text_number(end, &last)) ||
            (end.length > 0 && last < first) || end.at == NULL)
            return 200;
    } else {
        int64_t count;
        if (!http_text_number(end, &count))
            return 200;
        first = count < size ? size - count : 0;
    }
    if (first >= size)
        return 416;
    last = last < size ? last : size - 1;
    *range = (struct http_range){.first = first, .length = last - first + 1};
    return 206;
}

int http_range_read(struct http_range *range,
                    const struct http_request *request,
                    const struct http_validators *validators, int64_t size)
{
    *range = (struct http_range){.first = 0, .length = size};
    struct http_text set = request->fields[HTTP_RANGE];
    struct http_text state = request->fields[HTTP_IF_RANGE];
    if (set.at == NULL || !http_text_equals(request->method, "GET") ||
        (state.at != NULL && !is_same_state(state, validators)))
        return 200;
    struct http_text unit = http_text_take(&set, '=');
    if (!http_text_is(unit, "bytes"))
        return 200;
    return read_one_range(range, set, size);
}
