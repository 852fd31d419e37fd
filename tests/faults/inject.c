/* Makes system calls fail, from outside: preloaded into a server (ld.so(8)), it
 * stands between the server and the C library. The test writes into a table
 * that both have mapped which call fails, when, how often and how; until then
 * everything passes. The server is the one that people use, unchanged. */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The rows of the table: faults.py reads their names from here. */
enum call {
    ACCEPT,
    CONNECT,
    PTHREAD_CREATE,
    MALLOC, /* calloc and realloc, too */
    POLL,
    RECV,
    SEND,
    SENDFILE,
    PREAD,
    OPENAT,
    WRITE, /* to files: pipes and terminals are left alone */
    FSYNC,
    RENAMEAT,
    LINKAT,
    UNLINKAT,
    CLOSE, /* of files, and the file is closed all the same: close(2) */
    PIPE,
    CLOCK,     /* not a call that fails: the error is by how much the clock of
                  the day is wrong, in seconds */
    BAD_CLOSE, /* not a fault but a count: what was closed was not open */
    CALLS
};

/* The next `after` calls pass, then `times` calls fail with `error`. A negative
 * error is no failure: so many bytes at most are transferred. */
static struct row {
    atomic_int after, times, error, failed;
} * table;

static struct row no_table[CALLS];

__attribute__((constructor)) static void map_table(void)
{
    const char *path = getenv("FAULTS");
    int file = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *there = MAP_FAILED;
    if (file != -1) {
        there = mmap(NULL, sizeof no_table, PROT_READ | PROT_WRITE, MAP_SHARED,
                     file, 0);
        close(file);
    }
    table = there != MAP_FAILED ? there : no_table;
}

/* Counts a call. Returns the error it has to fail with, or 0. */
static int fault(enum call call)
{
    if (table == NULL || atomic_load(&table[call].times) <= 0 ||
        atomic_fetch_sub(&table[call].after, 1) > 0 ||
        atomic_fetch_sub(&table[call].times, 1) <= 0)
        return 0;
    atomic_fetch_add(&table[call].failed, 1);
    return atomic_load(&table[call].error);
}

/* The same for a transfer of size bytes, of which it may leave fewer. */
static int fault_of_transfer(enum call call, size_t *size)
{
    int error = fault(call);
    if (error >= 0)
        return error;
    if (*size > (size_t)-error)
        *size = (size_t)-error;
    return 0;
}

static int is_file(int fd)
{
    struct stat facts;
    return fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
}

/* The real function of that name, looked up once. */
#define REAL(name)                                                             \
    static __typeof__(name) *_Atomic known;                                    \
    __typeof__(name) *real = known;                                            \
    if (real == NULL)                                                          \
    known = real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define FAIL_IF(error)                                                         \
    do {                                                                       \
        int reason = (error);                                                  \
        if (reason != 0) {                                                     \
            errno = reason;                                                    \
            return -1;                                                         \
        }                                                                      \
    } while (0)

int accept(int listener, struct sockaddr *address, socklen_t *length)
{
    REAL(accept);
    FAIL_IF(fault(ACCEPT));
    return real(listener, address, length);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    REAL(connect);
    FAIL_IF(fault(CONNECT));
    return real(fd, address, length);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*function)(void *), void *argument)
{
    REAL(pthread_create);
    int error = fault(PTHREAD_CREATE);
    return error != 0 ? error : real(thread, attributes, function, argument);
}

int poll(struct pollfd *polled, nfds_t count, int timeout)
{
    REAL(poll);
    FAIL_IF(fault(POLL));
    return real(polled, count, timeout);
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    REAL(recv);
    FAIL_IF(fault_of_transfer(RECV, &size));
    return real(fd, bytes, size, flags);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
    REAL(send);
    FAIL_IF(fault_of_transfer(SEND, &size));
    return real(fd, bytes, size, flags);
}

ssize_t sendfile(int fd, int file, off_t *offset, size_t size)
{
    REAL(sendfile);
    FAIL_IF(fault_of_transfer(SENDFILE, &size));
    return real(fd, file, offset, size);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    REAL(pread);
    FAIL_IF(fault_of_transfer(PREAD, &size));
    return real(fd, bytes, size, offset);
}

int openat(int directory, const char *name, int flags, ...)
{
    REAL(openat);
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    FAIL_IF(fault(OPENAT));
    return real(directory, name, flags, mode);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(write);
    if (is_file(fd))
        FAIL_IF(fault_of_transfer(WRITE, &size));
    return real(fd, bytes, size);
}

int fsync(int fd)
{
    REAL(fsync);
    FAIL_IF(fault(FSYNC));
    return real(fd);
}

int renameat(int from, const char *old, int to, const char *new)
{
    REAL(renameat);
    FAIL_IF(fault(RENAMEAT));
    return real(from, old, to, new);
}

int linkat(int from, const char *old, int to, const char *new, int flags)
{
    REAL(linkat);
    FAIL_IF(fault(LINKAT));
    return real(from, old, to, new, flags);
}

int unlinkat(int directory, const char *name, int flags)
{
    REAL(unlinkat);
    FAIL_IF(fault(UNLINKAT));
    return real(directory, name, flags);
}

int close(int fd)
{
    REAL(close);
    int error = is_file(fd) ? fault(CLOSE) : 0;
    int result = real(fd);
    if (result == -1 && errno == EBADF && table != NULL)
        atomic_fetch_add(&table[BAD_CLOSE].failed, 1);
    FAIL_IF(error);
    return result;
}

int pipe(int ends[2])
{
    REAL(pipe);
    FAIL_IF(fault(PIPE));
    return real(ends);
}

/* --- the clock of the day ------------------------------------------------ */

static time_t clock_error(void)
{
    return table != NULL ? atomic_load(&table[CLOCK].error) : 0;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    REAL(clock_gettime);
    int result = real(id, now);
    if (result == 0 && id == CLOCK_REALTIME)
        now->tv_sec += clock_error();
    return result;
}

time_t time(time_t *now)
{
    REAL(time);
    time_t result = real(NULL) + clock_error();
    if (now != NULL)
        *now = result;
    return result;
}

/* --- memory -------------------------------------------------------------- */

/* Only with glibc, whose own functions can be had without dlsym, which itself
 * takes memory; and not with a sanitizer, which has its own. */
#if defined(__GLIBC__) && !defined(NO_MALLOC)
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static int is_out_of_memory(void)
{
    int error = fault(MALLOC);
    if (error != 0)
        errno = error;
    return error != 0;
}

void *malloc(size_t size)
{
    return is_out_of_memory() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_out_of_memory() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return is_out_of_memory() ? NULL : __libc_realloc(old, size);
}
#endif
