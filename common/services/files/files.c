/* The service files: http, and PUT and DELETE. */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "http/conditions.h"
#include "http/get.h"
#include "http/hosts.h"
#include "http/http.h"
#include "http/location.h"
#include "http/status.h"
#include "page.h"
#include "services/services.h"
#include "services/work.h"
#include "upload.h"

enum { BYTES_PER_MIB = 1024 * 1024 };

static const char *uploads_from = "loopback";
static int upload_limit_mib = 1024;

/* --- what is to be changed ----------------------------------------------- */

/* Finds the location to put or delete a file at. Returns 0 or a status. */
static int find_location(struct http_exchange *exchange,
                         struct http_location *location)
{
    if (strcmp(uploads_from, "anywhere") != 0 &&
        !address_is_loopback(exchange->in.client))
        return http_refuse(
            exchange, 403,
            "Files can be changed from this machine only, unless "
            "the server is started with --uploads=anywhere.");
    int status = http_path_read(exchange->request.target, exchange->path);
    if (status != 0)
        return status;
    if (http_location_find(location, exchange->path) == -1)
        return http_status_of(errno);
    if (*location->name != '\0')
        return 0;
    http_location_close(location);
    return 409; /* a directory */
}

/* What has the name, if anything. */
struct target {
    bool exists;
    struct stat st;
    struct http_validators validators;
};

/* Looks at what has the name now. Returns 0, or a status if that is no file. */
static int look(struct http_exchange *exchange,
                const struct http_location *location, struct target *target)
{
    *target = (struct target){.exists = true};
    if (fstatat(location->directory, location->name, &target->st,
                AT_SYMLINK_NOFOLLOW) == -1) {
        target->exists = false;
        if (errno == ENAMETOOLONG)
            return http_refuse(exchange, 409,
                               "The name is too long for this file system.");
        return errno == ENOENT ? 0 : http_status_of(errno);
    }
    http_validators_of(&target->validators, &target->st);
    if (S_ISREG(target->st.st_mode))
        return 0;
    return http_refuse(exchange, 409,
                       "What has this name is a directory, a link or a device, "
                       "and only files can be changed.");
}

static bool is_same(const struct target *a, const struct target *b)
{
    return a->exists == b->exists &&
           strcmp(a->validators.etag, b->validators.etag) == 0;
}

/* Do the request's conditions let the target be changed? 0 or a status. */
static int check_conditions(const struct http_request *request,
                            const struct target *target)
{
    return http_conditions_check(
        request, target->exists ? &target->validators : NULL, false);
}

static void answer_changed(struct http_exchange *exchange, bool is_new)
{
    http_reply_explain(http_begin(exchange, is_new ? 201 : 204), NULL);
}

/* --- PUT ----------------------------------------------------------------- */

static int64_t upload_limit(void)
{
    return (int64_t)upload_limit_mib * BYTES_PER_MIB;
}

/* Is the body one that can be stored? Asked before any of it is read. */
static int check_body(struct http_exchange *exchange)
{
    struct http_request *request = &exchange->request;
    if (request->fields[HTTP_CONTENT_RANGE].at != NULL)
        return http_refuse(exchange, 400, /* RFC 9110 section 14.5 */
                           "Only whole files can be uploaded, without "
                           "Content-Range.");
    if (!request->has_length && !request->is_chunked) {
        request->keeps_alive = false; /* what follows may be a body after all */
        return 411;
    }
    return request->content_length > upload_limit() ? 413 : 0;
}

/* The status for a body that did not arrive, or -1. */
static int status_of_body(int error)
{
    return error == ETIMEDOUT ? 408 : error == EBADMSG ? 400 : -1;
}

static int receive(struct http_exchange *exchange, struct upload *upload)
{
    int64_t received = 0;
    const char *bytes;
    ssize_t size;
    while ((size = http_body_read(&exchange->body, &exchange->in, &bytes)) >
           0) {
        received += size;
        if (received > upload_limit())
            return 413;
        if (upload_write(upload, bytes, (size_t)size) == -1)
            return http_status_of(errno);
    }
    if (size == -1)
        return status_of_body(errno);
    return upload_sync(upload) == -1 ? http_status_of(errno) : 0;
}

/* Gives the file its name. Conditions that held before the upload must hold
 * now, that is: the target must be as it was. Target becomes what it is now. */
static int publish(struct http_exchange *exchange,
                   const struct http_location *location, struct upload *upload,
                   struct target *target)
{
    bool is_conditional = http_is_conditional(&exchange->request);
    struct target before = *target;
    files_lock();
    int status = look(exchange, location, target);
    if (status == 0 && is_conditional && !is_same(&before, target))
        status = 412;
    if (status == 0 && upload_publish(upload, location->name,
                                      target->exists ? &target->st : NULL,
                                      is_conditional && !target->exists) == -1)
        status = http_status_of(errno);
    files_unlock();
    if (status == 0 && files_sync(location->directory) == -1)
        status = http_status_of(errno);
    return status;
}

/* Stores the body, then gives it its name. */
static int store(struct http_exchange *exchange,
                 const struct http_location *location, struct target *target)
{
    struct upload upload;
    if (upload_begin(&upload, location->directory) == -1)
        return http_status_of(errno);
    int status = receive(exchange, &upload);
    if (status == 0)
        status = publish(exchange, location, &upload, target);
    upload_end(&upload);
    return status;
}

static int put_file(struct http_exchange *exchange,
                    const struct http_location *location)
{
    struct target target;
    if (*location->name == '-')
        return http_refuse(exchange, 403, /* `rm *` would read an option */
                           "The name of a file must not begin with a dash.");
    int status = check_body(exchange);
    if (status == 0)
        status = look(exchange, location, &target);
    if (status == 0)
        status = check_conditions(&exchange->request, &target);
    if (status == 0)
        status = store(exchange, location, &target);
    if (status == 0)
        answer_changed(exchange, !target.exists);
    return status;
}

static int answer_put(struct http_exchange *exchange)
{
    struct http_location location = {.directory = -1, .name = ""};
    int status = find_location(exchange, &location);
    if (status == 0) {
        status = put_file(exchange, &location);
        http_location_close(&location);
    }
    return status == 404 ? 409 : status; /* there is no such directory */
}

/* --- DELETE -------------------------------------------------------------- */

static int delete_file(struct http_exchange *exchange,
                       const struct http_location *location)
{
    struct target target;
    files_lock();
    int status = look(exchange, location, &target);
    if (status == 0)
        status = check_conditions(&exchange->request, &target);
    if (status == 0 && unlinkat(location->directory, location->name, 0) == -1)
        status = http_status_of(errno);
    files_unlock();
    if (status == 0 && files_sync(location->directory) == -1)
        status = http_status_of(errno);
    if (status == 0)
        answer_changed(exchange, false);
    return status;
}

static int answer_delete(struct http_exchange *exchange)
{
    struct http_location location = {.directory = -1, .name = ""};
    int status = find_location(exchange, &location);
    if (status == 0) {
        status = delete_file(exchange, &location);
        http_location_close(&location);
    }
    return status;
}

/* --- the service --------------------------------------------------------- */

static const struct http_method methods[] = {
    {"GET", http_get, false},         {"HEAD", http_get, false},
    {"PUT", answer_put, true},        {"DELETE", answer_delete, true},
    {"OPTIONS", http_options, false}, {0},
};

static const struct http_site site = {
    .methods = methods,
    .page_top = page_html,
};

static const struct flag flags[] = {
    {"uploads", "from where files may be changed", .text = &uploads_from,
     .choices = "loopback|anywhere"},
    {"upload-limit", "MiB that an upload may have", .number = &upload_limit_mib,
     .min = 1, .max = 1024 * 1024},
    HTTP_ALLOW_HOST_FLAG,
    WORK_FLAG,
    {0},
};

static enum outcome talk(int client, long number)
{
    (void)number;
    return http_talk(client, &site);
}

const struct service files_service = {
    .name = "files",
    .help = "http, and uploads: PUT and DELETE, or a browser",
    .argument = "DIR",
    .flags = flags,
    .open = http_root_open,
    .talk = talk,
    .more_descriptors = 2, /* a directory and a file */
    .client_speaks_first = true,
    .busy = HTTP_BUSY,
};
