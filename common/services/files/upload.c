/* Temporary files, from their creation to their new name. */

#include "upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define PREFIX ".upload-"

enum { MODE = 0666, MAX_DEPTH = 100 };

/* --- one upload ---------------------------------------------------------- */

/* Another server may use the same directory, so each has names of its own. */
static void choose_name(char name[UPLOAD_NAME_SIZE])
{
    static atomic_ulong count;
    snprintf(name, UPLOAD_NAME_SIZE, PREFIX "%ld-%lu", (long)getpid(),
             atomic_fetch_add(&count, 1));
}

int upload_begin(struct upload *upload, int directory)
{
    upload->directory = directory;
    do {
        choose_name(upload->name);
        upload->file = openat(directory, upload->name,
                              O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    } while (upload->file == -1 && errno == EEXIST);
    if (upload->file == -1)
        return -1;
    flock(upload->file, LOCK_EX); /* its server is alive: see sweep */
    return 0;
}

int upload_write(struct upload *upload, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t written = write(upload->file, bytes, size);
        if (written == -1 && errno == EINTR)
            continue;
        if (written == -1)
            return -1;
        bytes += written;
        size -= (size_t)written;
    }
    return 0;
}

int upload_sync(struct upload *upload)
{
    return fsync(upload->file);
}

int upload_publish(struct upload *upload, const char *name, bool is_new)
{
    int directory = upload->directory;
    if (is_new) /* upload_end removes the other name */
        return linkat(directory, upload->name, directory, name, 0);
    int result = renameat(directory, upload->name, directory, name);
    if (result == 0)
        *upload->name = '\0';
    return result;
}

void upload_end(struct upload *upload)
{
    if (*upload->name != '\0')
        unlinkat(upload->directory, upload->name, 0);
    close(upload->file);
}

/* --- the directory ------------------------------------------------------- */

/* flock(2) locks what was opened, not the file: so each lock opens anew. */
int files_lock(int directory)
{
    int lock = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock == -1 || flock(lock, LOCK_EX) == 0)
        return lock;
    int reason = errno;
    close(lock);
    errno = reason;
    return -1;
}

int files_unlock(int lock)
{
    int result = fsync(lock);
    int reason = errno;
    close(lock);
    errno = reason;
    return result;
}

/* --- after a crash ------------------------------------------------------- */

/* Removes a temporary file, unless a living server holds its lock. */
static void sweep_file(int directory, const char *name)
{
    int file =
        openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file == -1)
        return;
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory, name, 0);
    close(file);
}

static void sweep(int directory, int depth);

static void sweep_below(int directory, const char *name, int depth)
{
    int inner = openat(directory, name,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner != -1)
        sweep(inner, depth);
}

/* Sweeps a directory, which it closes, and those below. Names that begin with a
 * dot are not served, so nothing was uploaded below them. */
static void sweep(int directory, int depth)
{
    DIR *stream = fdopendir(directory);
    const struct dirent *next;
    while (stream != NULL && (next = readdir(stream)) != NULL)
        if (strncmp(next->d_name, PREFIX, strlen(PREFIX)) == 0)
            sweep_file(directory, next->d_name);
        else if (*next->d_name != '.' && depth < MAX_DEPTH)
            sweep_below(directory, next->d_name, depth + 1);
    if (stream != NULL)
        closedir(stream);
    else
        close(directory);
}

void uploads_sweep(const char *directory)
{
    sweep_below(AT_FDCWD, directory, 0);
}
