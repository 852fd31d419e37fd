/* Takes two locks in both orders, one after the other, so that nothing happens
 * today: see docs/f-locks.md. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t room = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t member = PTHREAD_MUTEX_INITIALIZER;

static void *say(void *unused)
{
    pthread_mutex_lock(&room);
    pthread_mutex_lock(&member);
    pthread_mutex_unlock(&member);
    pthread_mutex_unlock(&room);
    return unused;
}

static void *leave(void *unused)
{
    pthread_mutex_lock(&member);
    pthread_mutex_lock(&room); /* the other way round */
    pthread_mutex_unlock(&room);
    pthread_mutex_unlock(&member);
    return unused;
}

static void run(void *(*what)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, what, NULL) == 0)
        pthread_join(thread, NULL);
}

int main(void)
{
    run(say);
    run(leave);
    printf("nothing happened\n");
    return EXIT_SUCCESS;
}
