/* Fuzz target: any bytes as a request. What is taken for one must be whole and
 * lie within the bytes; its target must lead to a safe path or to none. */

#include "http/request.h"

#include <stdlib.h>

#include "http/path.h"
#include "properties.h"

static void check_text(struct text text, const char *head, size_t length)
{
    if (text.at != NULL)
        PROPERTY(text.at >= head && text.at + text.length <= head + length);
}

static void check_request(const struct http_request *request, const char *head,
                          size_t length)
{
    check_text(request->method, head, length);
    check_text(request->target, head, length);
    for (int i = 0; i < HTTP_FIELDS; i++)
        check_text(request->fields[i], head, length);
    PROPERTY(request->method.length > 0);
    PROPERTY(request->target.length <= HTTP_MAX_TARGET);
    PROPERTY(request->content_length >= 0);
    PROPERTY(!(request->has_length && request->is_chunked));
    PROPERTY(request->is_http_1_0 || request->fields[HTTP_HOST].at != NULL);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    const char *head = (const char *)data;
    size_t length = http_head_length(head, size);
    PROPERTY(length <= size);
    if (length == 0)
        return 0;
    PROPERTY(http_head_length(head, length) == length);
    PROPERTY(http_head_length(head, length - 1) == 0);

    struct http_request request;
    char path[HTTP_PATH_SIZE];
    int status = http_request_read(&request, head, length);
    PROPERTY(status == 0 || (status >= 400 && status < 600));
    if (status != 0)
        return 0;
    check_request(&request, head, length);
    if (http_path_read(request.target, path) == 0)
        check_path(path);
    return 0;
}
