/* Bodies of requests: counted bytes, or chunks. */

#include "body.h"

#include <errno.h>
#include <string.h>

#include "write.h"

enum {
    MAX_CHUNK_LINE = 4096,
    MAX_TRAILERS = HTTP_MAX_FIELDS,
    MAX_HEX_DIGITS = 15, /* of which any number fits into 63 bits */
};

void http_body_open(struct http_body *body, const struct http_request *request)
{
    *body = (struct http_body){
        .is_chunked = request->is_chunked,
        .is_awaited = request->expects_continue,
        .is_complete = !request->is_chunked && request->content_length == 0,
        .left = request->content_length,
    };
}

static ssize_t fail(int reason)
{
    errno = reason;
    return -1;
}

/* --- chunks -------------------------------------------------------------- */

static struct text skip_blanks(struct text text)
{
    while (text.length > 0 && (*text.at == ' ' || *text.at == '\t'))
        text = text_skip(text, 1);
    return text;
}

/* Takes a token off the text; an empty one if there is none. */
static struct text take_token(struct text *text)
{
    struct text token = {text->at, 0};
    while (token.length < text->length &&
           text_is_token((struct text){text->at, token.length + 1}))
        token.length++;
    *text = text_skip(*text, token.length);
    return token;
}

/* Takes a quoted string off the text (RFC 9110 section 5.6.4). That it has no
 * control characters is checked for the whole line. */
static bool take_quoted(struct text *text)
{
    size_t i = 1;
    while (i < text->length && text->at[i] != '"')
        i += text->at[i] == '\\' ? 2 : 1;
    if (i >= text->length)
        return false;
    *text = text_skip(*text, i + 1);
    return true;
}

/* Takes ";name" or ";name=value" off the text, with blanks between, which old
 * senders put there (RFC 9112 section 7.1.1). */
static bool take_extension(struct text *text)
{
    *text = skip_blanks(*text);
    if (text->length == 0 || *text->at != ';')
        return false;
    *text = skip_blanks(text_skip(*text, 1));
    if (take_token(text).length == 0)
        return false;
    struct text value = skip_blanks(*text);
    if (value.length == 0 || *value.at != '=')
        return true;
    *text = skip_blanks(text_skip(value, 1));
    return text->length > 0 && *text->at == '"' ? take_quoted(text)
                                                : take_token(text).length > 0;
}

bool http_chunk_size(struct text line, int64_t *size)
{
    int count = 0, digit;
    if (!text_is_value(line))
        return false;
    for (*size = 0; line.length > 0 && (digit = text_hex_digit(*line.at)) != -1;
         count++, line = text_skip(line, 1)) {
        if (count == MAX_HEX_DIGITS)
            return false;
        *size = *size * 16 + digit;
    }
    while (count > 0 && line.length > 0)
        if (!take_extension(&line))
            return false;
    return count > 0;
}

/* Takes a line that ends in CRLF: between chunks, an LF alone has been used to
 * smuggle. Returns 0, or -1 with errno. */
static int take_line(struct reader *in, struct text *line)
{
    char *begin;
    ssize_t length = reader_next_line(in, MAX_CHUNK_LINE, &begin);
    if (length == -1)
        return errno == EMSGSIZE ? (int)fail(EBADMSG) : -1;
    if (length < 2 || memcmp(begin + length - 2, "\r\n", 2) != 0)
        return (int)fail(EBADMSG);
    *line = (struct text){begin, (size_t)length - 2};
    return 0;
}

/* Takes what may follow the last chunk: fields that we have no use for, then
 * the empty line that ends the request. */
static int take_trailers(struct reader *in)
{
    struct text line, name, value;
    for (int i = 0; i <= MAX_TRAILERS; i++) {
        if (take_line(in, &line) == -1)
            return -1;
        if (line.length == 0)
            return 0;
        if (!text_split_field(line, &name, &value))
            break;
    }
    return (int)fail(EBADMSG);
}

static int begin_chunk(struct http_body *body, struct reader *in)
{
    struct text line;
    if (body->has_chunk) {
        if (take_line(in, &line) == -1)
            return -1;
        if (line.length > 0)
            return (int)fail(EBADMSG); /* the chunk is longer than it said */
    }
    if (take_line(in, &line) == -1)
        return -1;
    if (!http_chunk_size(line, &body->left))
        return (int)fail(EBADMSG);
    body->has_chunk = true;
    if (body->left == 0 && take_trailers(in) == -1)
        return -1;
    body->is_complete = body->left == 0;
    return 0;
}

/* --- bytes --------------------------------------------------------------- */

/* Asks for the body, unless some of it is here already. */
static int ask_for_it(struct http_body *body, const struct reader *in)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    bool is_awaited = body->is_awaited && in->start == in->end;
    body->is_awaited = false;
    return is_awaited ? write_all(in->client, go_on, strlen(go_on)) : 0;
}

/* Takes what is there of the body or chunk, waiting for some. */
static ssize_t take_bytes(struct http_body *body, struct reader *in,
                          const char **bytes)
{
    if (in->start == in->end) {
        in->start = in->end = 0; /* all of the reader is free */
        ssize_t more = reader_fill(in);
        if (more <= 0)
            return more == 0 ? fail(EBADMSG) : -1;
    }
    size_t there = in->end - in->start;
    size_t size = (int64_t)there < body->left ? there : (size_t)body->left;
    *bytes = in->bytes + in->start;
    in->start += size;
    body->left -= (int64_t)size;
    body->is_complete = !body->is_chunked && body->left == 0;
    return (ssize_t)size;
}

ssize_t http_body_read(struct http_body *body, struct reader *in,
                       const char **bytes)
{
    reader_expect_upload(in);
    if (!body->is_complete && ask_for_it(body, in) == -1)
        return -1;
    if (body->is_chunked && body->left == 0 && !body->is_complete &&
        begin_chunk(body, in) == -1)
        return -1;
    return body->is_complete ? 0 : take_bytes(body, in, bytes);
}
