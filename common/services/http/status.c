/* The table of statuses. */

#include "status.h"

#include <errno.h>
#include <stddef.h>

static const struct http_status statuses[] = {
    {200, "OK", NULL},
    {201, "Created", "It is stored under this name."},
    {204, "No Content", NULL},
    {206, "Partial Content", NULL},
    {301, "Moved Permanently", "A directory's name ends with a slash."},
    {304, "Not Modified", NULL},
    {400, "Bad Request", "This is not a request that can be understood."},
    {403, "Forbidden", "This may not be done, or not from here."},
    {404, "Not Found", "There is no file of this name."},
    {405, "Method Not Allowed", "Allow lists what can be done with it."},
    {408, "Request Timeout", "The request took too long to arrive."},
    {409, "Conflict", "Only a file in a directory that exists can be changed."},
    {411, "Length Required", "An upload must say how long it is."},
    {412, "Precondition Failed", "The file is not as the request wants it."},
    {413, "Content Too Large", "Uploads are limited to less than this."},
    {414, "URI Too Long", "A target has 8000 bytes at most."},
    {416, "Range Not Satisfiable", "The file is shorter than that."},
    {417, "Expectation Failed", "Nothing but 100-continue can be expected."},
    {421, "Misdirected Request", "This server has another name."},
    {431, "Request Header Fields Too Large",
     "A head has 16384 bytes and 100 fields at most."},
    {500, "Internal Server Error", "The file cannot be used."},
    {501, "Not Implemented", "This server knows no such method or coding."},
    {503, "Service Unavailable", "Something is short. Please try again."},
    {505, "HTTP Version Not Supported", "This server speaks HTTP/1.1."},
    {507, "Insufficient Storage", "There is no space for it."},
};

const struct http_status *http_status_find(int number)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].number == number)
            return &statuses[i];
    return http_status_find(500);
}

int http_status_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR: /* also a symbolic link in place of a directory */
    case ELOOP:   /* a symbolic link in place of a file */
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENXIO: /* a socket, or a device that is not there */
        return 403;
    case EISDIR:
        return 409;
    case EEXIST:
        return 412;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    default:
        return 500;
    }
}
