/* Ranges. Where RFC 9110 allows it, what is strange is answered by the whole
 * file: the client then gets too much, never too little. */

#include "ranges.h"

#include <stdbool.h>
#include <stddef.h>

#include "date.h"

/* Does the client hold a part of the present state? Only then can another part
 * be of use to it. */
static bool is_same_state(struct text state,
                          const struct http_validators *validators)
{
    int64_t seconds;
    if (http_date_read(state, &seconds))
        return seconds == validators->modified;
    return text_equals(state, validators->etag);
}

/* Reads "first-", "first-last" or "-count of the last" (section 14.1.2) as the
 * first and last byte of a file of this size. Returns false for all else. */
static bool read_bounds(struct text text, int64_t size, int64_t *first,
                        int64_t *last)
{
    struct text end = text;
    struct text begin = text_trim(text_take(&end, '-'));
    if (end.at == NULL)
        return false;
    end = text_trim(end);
    *last = size - 1;
    if (begin.length == 0) {
        int64_t count;
        if (!text_number(end, &count))
            return false;
        *first = count < size ? size - count : 0;
        return true;
    }
    if (!text_number(begin, first))
        return false;
    return end.length == 0 || (text_number(end, last) && *last >= *first);
}

static bool overlap(const struct http_range *a, const struct http_range *b)
{
    return a->first < b->first + b->length && b->first < a->first + a->length;
}

/* Adds a part. Returns false if it overlaps with another, or is too much. */
static bool add(struct http_ranges *ranges, struct http_range range)
{
    for (int i = 0; i < ranges->count; i++)
        if (overlap(&ranges->all[i], &range))
            return false;
    if (ranges->count == HTTP_MAX_RANGES)
        return false;
    ranges->all[ranges->count++] = range;
    return true;
}

/* Reads a list of ranges. Those behind the end of the file are left out.
 * Returns false if the whole file is the answer. */
static bool read_set(struct http_ranges *ranges, struct text set, int64_t size)
{
    bool has_any = false;
    ranges->count = 0;
    while (set.at != NULL) {
        int64_t first, last;
        struct text text = text_trim(text_take(&set, ','));
        if (text.length == 0)
            continue; /* a list may have empty elements: section 5.6.1 */
        if (!read_bounds(text, size, &first, &last))
            return false;
        has_any = true;
        if (first >= size)
            continue;
        last = last < size ? last : size - 1;
        if (!add(ranges, (struct http_range){first, last - first + 1}))
            return false;
    }
    return has_any;
}

/* Are these the last so many bytes of an empty file? They exist, but no
 * Content-Range can say so. */
static bool is_end_of_nothing(struct text set, int64_t size)
{
    set = text_trim(set);
    return size == 0 && set.length > 1 && *set.at == '-' &&
           !text_equals(set, "-0");
}

int http_ranges_read(struct http_ranges *ranges,
                     const struct http_request *request,
                     const struct http_validators *validators, int64_t size)
{
    struct text set = request->fields[HTTP_RANGE];
    struct text state = request->fields[HTTP_IF_RANGE];
    bool is_whole = set.at == NULL || !text_equals(request->method, "GET") ||
                    (state.at != NULL && !is_same_state(state, validators));
    if (!is_whole)
        is_whole = !text_is(text_take(&set, '='), "bytes") ||
                   is_end_of_nothing(set, size) || !read_set(ranges, set, size);
    if (is_whole)
        *ranges = (struct http_ranges){.count = 1, .all = {{0, size}}};
    return is_whole ? 200 : ranges->count > 0 ? 206 : 416;
}
