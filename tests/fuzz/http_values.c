/* Fuzz target: any bytes as the value of a field, or as the line before a
 * chunk. A value that is understood makes sense. */

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "http/authority.h"
#include "http/body.h"
#include "http/conditions.h"
#include "http/date.h"
#include "http/ranges.h"
#include "properties.h"

static const struct http_validators validators = {
    .etag = "\"18e9fa935a81f9fb-400-a74003\"",
    .modified = 784111777, /* Sun, 06 Nov 1994 08:49:37 GMT */
};

static void check_date(struct text text)
{
    char written[HTTP_DATE_SIZE];
    int64_t seconds, again;
    if (!http_date_read(text, &seconds))
        return;
    http_date_write(seconds, written);
    PROPERTY(http_date_read(text_of(written), &again));
    PROPERTY(again == seconds || seconds > 253402300799);
}

static void check_range(struct text text, int64_t size)
{
    struct http_request request = {.method = text_of("GET")};
    struct http_ranges ranges;
    request.fields[HTTP_RANGE] = text;
    int status = http_ranges_read(&ranges, &request, &validators, size);
    PROPERTY(status == 200 || status == 206 || status == 416);
    if (status == 416)
        return;
    PROPERTY(ranges.count > 0 && ranges.count <= HTTP_MAX_RANGES);
    int64_t sum = 0;
    for (int i = 0; i < ranges.count; i++) {
        struct http_range range = ranges.all[i];
        PROPERTY(range.first >= 0 && range.length >= 0);
        PROPERTY(range.first + range.length <= size);
        PROPERTY(status == 200 ? range.length == size : range.length > 0);
        sum += range.length; /* none overlap, so: */
    }
    PROPERTY(sum <= size);
}

/* What is taken for an authority is host[:port], whole and nothing else. */
static void check_authority(struct text text)
{
    struct text host, again;
    if (!http_authority_read(text, &host))
        return;
    PROPERTY(host.at == text.at && host.length > 0);
    PROPERTY(host.length <= text.length);
    PROPERTY((*host.at == '[') == (host.at[host.length - 1] == ']'));
    for (size_t i = 0; i < host.length; i++) {
        PROPERTY(host.at[i] > ' ' && host.at[i] < 0x7F);
        PROPERTY(strchr("@/?#\\\"<>", host.at[i]) == NULL);
        PROPERTY(host.at[i] != ':' || *host.at == '[');
    }
    struct text port = text_skip(text, host.length);
    PROPERTY(port.length == 0 || *port.at == ':');
    for (size_t i = 1; i < port.length; i++)
        PROPERTY(isdigit((unsigned char)port.at[i]));
    PROPERTY(http_authority_read(host, &again));
    PROPERTY(again.length == host.length);
    if (http_host_is_loopback(host))
        PROPERTY(strchr("[1lL", *host.at) != NULL);
}

static void check_condition(enum http_field field, struct text text)
{
    struct http_request request = {.method = text_of("GET")};
    request.fields[field] = text;
    int for_reading = http_conditions_check(&request, &validators, true);
    int for_writing = http_conditions_check(&request, &validators, false);
    PROPERTY(for_reading == 0 || for_reading == 304 || for_reading == 412);
    PROPERTY(for_writing == 0 || for_writing == 412);
    (void)http_conditions_check(&request, NULL, false);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    struct text text = {(const char *)data, size};
    int64_t chunk;
    check_date(text);
    check_range(text, 0);
    check_range(text, 1000);
    check_authority(text);
    for (int i = 0; i < HTTP_FIELDS; i++)
        check_condition((enum http_field)i, text);
    if (http_chunk_size(text, &chunk))
        PROPERTY(chunk >= 0 && isxdigit(*data));
    return 0;
}
