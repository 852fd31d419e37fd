/* Requests are read strictly. Where two programs read the same bytes as
 * different requests, one of them can be made to answer a request that the
 * other never saw: request smuggling (RFC 9112 section 11.2). */

#include "request.h"

#include <string.h>

#include "authority.h"
#include "path.h"

static const char *const field_names[] = {
    [HTTP_CONNECTION] = "Connection",
    [HTTP_CONTENT_LENGTH] = "Content-Length",
    [HTTP_CONTENT_RANGE] = "Content-Range",
    [HTTP_EXPECT] = "Expect",
    [HTTP_HOST] = "Host",
    [HTTP_IF_MATCH] = "If-Match",
    [HTTP_IF_MODIFIED_SINCE] = "If-Modified-Since",
    [HTTP_IF_NONE_MATCH] = "If-None-Match",
    [HTTP_IF_RANGE] = "If-Range",
    [HTTP_IF_UNMODIFIED_SINCE] = "If-Unmodified-Since",
    [HTTP_RANGE] = "Range",
    [HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
};

/* --- where a head ends --------------------------------------------------- */

/* Empty lines before a request are overlooked (RFC 9112 section 2.2): old
 * clients sent one after a body. */
static struct text skip_empty_lines(const char *bytes, size_t size)
{
    size_t length = 0;
    while (length < size && (bytes[length] == '\r' || bytes[length] == '\n'))
        length++;
    return (struct text){bytes + length, size - length};
}

size_t http_head_length(const char *bytes, size_t size)
{
    const char *end = bytes + size;
    const char *line = skip_empty_lines(bytes, size).at, *lf;
    while (line < end &&
           (lf = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        if (lf == line || (lf == line + 1 && *line == '\r'))
            return (size_t)(lf + 1 - bytes);
        line = lf + 1;
    }
    return 0; /* nothing has ended this line */
}

bool http_head_asks_head(const char *bytes, size_t size)
{
    static const char method[] = "HEAD ";
    struct text rest = skip_empty_lines(bytes, size);
    return rest.length >= strlen(method) &&
           memcmp(rest.at, method, strlen(method)) == 0;
}

/* --- the request line ---------------------------------------------------- */

/* "HTTP/1.1", or any other 1.x, which must be like it. */
static int read_version(struct http_request *request, struct text version)
{
    static const char form[] = "HTTP/d.d";
    enum { MAJOR = 5, MINOR = 7 };
    if (version.length != strlen(form))
        return 400;
    for (size_t i = 0; i < version.length; i++) {
        char c = version.at[i];
        if (form[i] == 'd' ? c < '0' || c > '9' : c != form[i])
            return 400;
    }
    request->is_http_1_0 = version.at[MINOR] == '0';
    return version.at[MAJOR] == '1' ? 0 : 505;
}

/* Reads a path, a whole URL, or what two methods have in its place (RFC 9112
 * section 3.2). */
static bool read_target(struct http_request *request, bool is_connect)
{
    struct text rest = request->target, host;
    if (is_connect)
        return http_authority_read(rest, &host);
    if (rest.length > 0 && *rest.at == '/')
        return true;
    if (text_equals(rest, "*"))
        return true; /* for the method to refuse */
    if (!text_take_word(&rest, HTTP_SCHEME))
        return false;
    rest = text_take(&rest, '?');
    request->authority = text_take(&rest, '/');
    return true;
}

/* Takes the request line off the head. */
static int read_request_line(struct http_request *request, struct text *head)
{
    struct text line = text_take_line(head);
    request->has_crlf = text_ended_in_crlf(line);
    request->method = text_take(&line, ' ');
    request->target = text_take(&line, ' ');
    if (!text_is_token(request->method) || line.at == NULL)
        return 400;
    if (request->target.length > HTTP_MAX_TARGET)
        return 414;
    bool is_connect = text_equals(request->method, "CONNECT");
    if (!text_is_visible(request->target) || !read_target(request, is_connect))
        return 400;
    return read_version(request, line);
}

/* --- the fields ---------------------------------------------------------- */

/* Connection is a list, and may itself come more than once. */
static void read_connection(struct http_request *request, struct text list)
{
    while (list.at != NULL) {
        struct text word = text_trim(text_take(&list, ','));
        if (text_is(word, "close"))
            request->says_close = true;
        else if (text_is(word, "keep-alive"))
            request->says_keep_alive = true;
    }
}

/* Reads lines up to an empty one, or to the last that has ended. All of them
 * may end in LF alone (RFC 9112 section 2.2), but not some: to another server
 * these would be one line, and what follows be something else. */
static int read_fields(struct http_request *request, struct text rest)
{
    for (int count = 0;; count++) {
        struct text name, value, line = text_take_line(&rest);
        if (rest.at == NULL)
            return 0;
        if (text_ended_in_crlf(line) != request->has_crlf)
            return 400;
        if (line.length == 0)
            return 0;
        if (count == HTTP_MAX_FIELDS)
            return 431;
        if (!text_split_field(line, &name, &value))
            return 400;
        int field = text_find(name, field_names, HTTP_FIELDS);
        if (field == HTTP_FIELDS)
            continue;
        if (field == HTTP_CONNECTION)
            read_connection(request, value);
        else if (request->fields[field].at != NULL)
            return 400; /* which of the two is meant? */
        request->fields[field] = value;
    }
}

int http_head_check(const char *bytes, size_t size)
{
    struct http_request request = {.keeps_alive = false};
    struct text rest = skip_empty_lines(bytes, size);
    if (rest.length == 0 || memchr(rest.at, '\n', rest.length) == NULL)
        return 0;
    int status = read_request_line(&request, &rest);
    return status == 0 ? read_fields(&request, rest) : status;
}

/* --- what they mean together --------------------------------------------- */

/* The host that is asked for: that of an absolute target, whatever Host says
 * (RFC 9112 section 3.2.2), but Host must be there and be one, too. */
static int read_host(struct http_request *request)
{
    struct text field = request->fields[HTTP_HOST];
    if (field.at == NULL && !request->is_http_1_0)
        return 400;
    if (field.at != NULL && !http_authority_read(field, &request->host))
        return 400;
    if (request->authority.at == NULL)
        return 0;
    return http_authority_read(request->authority, &request->host) ? 0 : 400;
}

/* Where does the body end? There must be one answer (RFC 9112 section 6.3). */
static int read_framing(struct http_request *request)
{
    struct text length = request->fields[HTTP_CONTENT_LENGTH];
    struct text coding = request->fields[HTTP_TRANSFER_ENCODING];
    if (length.at != NULL && coding.at != NULL)
        return 400;
    request->has_length = length.at != NULL;
    if (request->has_length && !text_number(length, &request->content_length))
        return 400;
    if (coding.at == NULL)
        return 0;
    if (request->is_http_1_0)
        return 400; /* that version had no such field */
    request->is_chunked = text_is(coding, "chunked");
    return request->is_chunked ? 0 : 501;
}

static int read_expectation(struct http_request *request)
{
    struct text expected = request->fields[HTTP_EXPECT];
    if (expected.at == NULL || request->is_http_1_0)
        return 0;
    request->expects_continue = text_is(expected, "100-continue");
    return request->expects_continue ? 0 : 417;
}

int http_request_read(struct http_request *request, const char *head,
                      size_t length)
{
    struct text rest = skip_empty_lines(head, length);
    *request = (struct http_request){.keeps_alive = false};

    int status = read_request_line(request, &rest);
    if (status == 0)
        status = read_fields(request, rest);
    if (status == 0)
        status = read_host(request);
    if (status == 0)
        status = read_framing(request);
    if (status == 0)
        status = read_expectation(request);
    /* RFC 9112 section 9.3: close wins. */
    request->keeps_alive = !request->says_close &&
                           (!request->is_http_1_0 || request->says_keep_alive);
    return status;
}
