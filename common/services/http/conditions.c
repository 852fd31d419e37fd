/* Conditions. What cannot be understood is as if it were not there, which is
 * what RFC 9110 asks for; but nothing is overwritten then. */

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

/* Takes the next entity tag off a list, with its quotes (RFC 9110 sections
 * 8.8.3 and 5.6.1). A tag may have commas inside, so the list cannot be split
 * at these. Returns false at the end, and for what is no tag. */
static bool take_tag(struct text *list, struct text *tag, bool *is_weak)
{
    while (list->length > 0 && strchr(", \t", *list->at) != NULL)
        *list = text_skip(*list, 1);
    *is_weak = list->length >= 2 && memcmp(list->at, "W/", 2) == 0;
    if (*is_weak)
        *list = text_skip(*list, 2);
    if (list->length < 2 || *list->at != '"')
        return false;
    const char *end = memchr(list->at + 1, '"', list->length - 1);
    if (end == NULL)
        return false;
    *tag = (struct text){list->at, (size_t)(end + 1 - list->at)};
    *list = text_skip(*list, tag->length);
    return list->length == 0 || strchr(", \t", *list->at) != NULL;
}

/* Is the present state among those listed? A weak tag, W/"...", promises less
 * than the same bytes: enough for a client that asks whether to fetch again,
 * not for one that is about to overwrite. */
static bool is_listed(struct text list,
                      const struct http_validators *validators,
                      bool is_weak_enough)
{
    struct text tag;
    bool is_weak;
    if (validators == NULL)
        return false;
    if (text_equals(list, "*"))
        return true;
    while (take_tag(&list, &tag, &is_weak))
        if ((is_weak_enough || !is_weak) && text_equals(tag, validators->etag))
            return true;
    return false;
}

/* Is it a list of at least one tag, or a star? */
static bool is_list(struct text list)
{
    struct text tag;
    bool is_weak, has_any = false;
    if (text_equals(list, "*"))
        return true;
    while (take_tag(&list, &tag, &is_weak))
        has_any = true;
    return has_any && list.length == 0;
}

/* Did the file change after the date? No, if that is no date. */
static bool is_changed_since(struct text date,
                             const struct http_validators *validators)
{
    int64_t seconds;
    return date.at != NULL && validators != NULL &&
           http_date_read(date, &seconds) && validators->modified > seconds;
}

static bool is_unchanged_since(struct text date,
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
    const struct text *fields = request->fields;
    if (fields[HTTP_IF_MATCH].at != NULL) {
        if (!is_listed(fields[HTTP_IF_MATCH], validators, false))
            return 412;
    } else if (is_changed_since(fields[HTTP_IF_UNMODIFIED_SINCE], validators)) {
        return 412;
    }
    if (fields[HTTP_IF_NONE_MATCH].at != NULL) {
        if (!is_read && !is_list(fields[HTTP_IF_NONE_MATCH]))
            return 412; /* nothing is overwritten on a misunderstanding */
        if (is_listed(fields[HTTP_IF_NONE_MATCH], validators, true))
            return is_read ? 304 : 412;
    } else if (is_read &&
               is_unchanged_since(fields[HTTP_IF_MODIFIED_SINCE], validators)) {
        return 304;
    }
    return 0;
}
