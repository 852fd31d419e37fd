/* Preloaded into a server under test: what POSIX allows, made certain.
 * FALSE_ALARM=1: the 1st, 3rd, 5th ... pthread_cond_wait of a thread returns
 * although nobody has signalled ("spurious wakeup", pthread_cond_wait(3)).
 * FALSE_ALARM=2: the 2nd, 4th, 6th ... do.
 * NO_THREAD=n: the n-th pthread_create fails with EAGAIN.
 * LATE_THREAD=ms: each thread begins so late, as on a busy machine. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

typedef int wait_function(pthread_cond_t *, pthread_mutex_t *);
typedef int create_function(pthread_t *, const pthread_attr_t *,
                            void *(*)(void *), void *);

static wait_function *real_wait;
static create_function *real_create;
static int first_alarm, thread_that_fails, late_ms;
static atomic_int created;

static int number_of(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : atoi(text);
}

/* glibc has an older pthread_cond_wait of the same name, for programs of 2002;
 * dlsym would find that one. ThreadSanitizer's has no version, and must be
 * called, or it would not see that the lock is given up. Before the first
 * thread, so no lock. */
__attribute__((constructor)) static void find(void)
{
#ifdef __GLIBC__
    if (dlsym(RTLD_DEFAULT, "__tsan_init") == NULL)
        *(void **)&real_wait =
            dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
#endif
    if (real_wait == NULL)
        *(void **)&real_wait = dlsym(RTLD_NEXT, "pthread_cond_wait");
    *(void **)&real_create = dlsym(RTLD_NEXT, "pthread_create");
    first_alarm = number_of("FALSE_ALARM");
    thread_that_fails = number_of("NO_THREAD");
    late_ms = number_of("LATE_THREAD");
}

int pthread_cond_wait(pthread_cond_t *changed, pthread_mutex_t *lock)
{
    static _Thread_local int calls;
    if (first_alarm == 0 || ++calls % 2 != first_alarm % 2)
        return real_wait(changed, lock);
    pthread_mutex_unlock(lock);
    sched_yield();
    return pthread_mutex_lock(lock);
}

struct start {
    void *(*function)(void *);
    void *argument;
};

static void *start_late(void *given)
{
    struct start start = *(struct start *)given;
    struct timespec pause = {.tv_nsec = late_ms * 1000000L};
    free(given);
    nanosleep(&pause, NULL);
    return start.function(start.argument);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*function)(void *), void *argument)
{
    if (atomic_fetch_add(&created, 1) + 1 == thread_that_fails)
        return EAGAIN;
    struct start *start = late_ms > 0 ? malloc(sizeof *start) : NULL;
    if (start != NULL) {
        *start = (struct start){function, argument};
        return real_create(thread, attributes, start_late, start);
    }
    return real_create(thread, attributes, function, argument);
}
