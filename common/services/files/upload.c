/* Temporary files, from their creation to their new name. */

#include "upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

#define PREFIX ".upload-"

enum { MODE = 0666, PERMISSIONS = 0777, MAX_SWEPT = 64 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void files_lock(void)
{
    pthread_mutex_lock(&lock);
}

void files_unlock(void)
{
    pthread_mutex_unlock(&lock);
}

/* --- after a crash ------------------------------------------------------- */

/* Does it look like choose_name's: PREFIX, a number, a dash, a number? */
static bool is_temporary(const char *name)
{
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return false;
    const char *digits = "0123456789";
    const char *process = name + strlen(PREFIX);
    const char *dash = process + strspn(process, digits);
    if (dash == process || *dash != '-')
        return false;
    size_t length = strspn(dash + 1, digits);
    return length > 0 && dash[1 + length] == '\0';
}

/* Removes a temporary file of ours, unless a living server holds its lock. */
static void sweep_file(int directory, const char *name)
{
    struct stat st;
    int file =
        openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file == -1)
        return;
    if (fstat(file, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_uid == geteuid() && flock(file, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory, name, 0);
    close(file);
}

static void sweep(int directory)
{
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = own != -1 ? fdopendir(own) : NULL;
    const struct dirent *next;
    while (stream != NULL && (next = readdir(stream)) != NULL)
        if (is_temporary(next->d_name))
            sweep_file(directory, next->d_name);
    if (stream != NULL)
        closedir(stream);
    else if (own != -1)
        close(own);
}

/* Sweeps the directory if it is not one of those swept last. */
static void sweep_once(int directory)
{
    static struct {
        dev_t device;
        ino_t inode;
    } swept[MAX_SWEPT];
    static size_t count;
    struct stat st;
    if (fstat(directory, &st) == -1)
        return;
    for (size_t i = 0; i < count && i < MAX_SWEPT; i++)
        if (swept[i].device == st.st_dev && swept[i].inode == st.st_ino)
            return;
    swept[count % MAX_SWEPT].device = st.st_dev;
    swept[count % MAX_SWEPT].inode = st.st_ino;
    count++;
    sweep(directory);
}

/* --- one upload ---------------------------------------------------------- */

/* Another server may use the same directory, so each has names of its own. */
static void choose_name(char name[UPLOAD_NAME_SIZE])
{
    static unsigned long count;
    snprintf(name, UPLOAD_NAME_SIZE, PREFIX "%ld-%lu", (long)getpid(), count++);
}

/* The lock on the new file says that its server is alive: see sweep_file. */
static int make_file(struct upload *upload)
{
    do {
        choose_name(upload->name);
        upload->file = openat(upload->directory, upload->name,
                              O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
    } while (upload->file == -1 && errno == EEXIST);
    if (upload->file == -1)
        return -1;
    flock(upload->file, LOCK_EX | LOCK_NB); /* where locks work */
    return 0;
}

int upload_begin(struct upload *upload, int directory)
{
    upload->directory = directory;
    files_lock(); /* nobody sweeps a file that is not locked yet */
    int result = make_file(upload);
    int reason = errno;
    if (result == 0)
        sweep_once(directory);
    files_unlock();
    errno = reason;
    return result;
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

/* The owner first: a change of it may take permissions away. It is not ours to
 * give unless we are root; the mode always is. */
static int take_over(const struct upload *upload, const struct stat *replaced)
{
    if (fchown(upload->file, replaced->st_uid, replaced->st_gid) == -1 &&
        fchown(upload->file, (uid_t)-1, replaced->st_gid) == -1)
        errno = 0;
    return fchmod(upload->file, replaced->st_mode & PERMISSIONS);
}

int upload_publish(struct upload *upload, const char *name,
                   const struct stat *replaced, bool must_be_new)
{
    int directory = upload->directory;
    if (must_be_new) /* upload_end removes the other name */
        return linkat(directory, upload->name, directory, name, 0);
    if (replaced != NULL && take_over(upload, replaced) == -1)
        return -1;
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

int files_sync(int directory)
{
    int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own == -1)
        return errno == EACCES ? 0 : -1; /* it cannot be synced then */
    int result = fsync(own);
    int reason = errno;
    close(own);
    errno = reason;
    return result;
}
