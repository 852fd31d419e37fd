/* Two clerks, a pen and a book: each takes one and wants the other, for ever.
 * See docs/4e-debugging.md. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t pen = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t book = PTHREAD_MUTEX_INITIALIZER;

static void take_both(pthread_mutex_t *first, pthread_mutex_t *second)
{
    pthread_mutex_lock(first);
    usleep(100 * 1000); /* so that it happens today, and not once a month */
    pthread_mutex_lock(second);
    pthread_mutex_unlock(second);
    pthread_mutex_unlock(first);
}

static void *ann(void *unused)
{
    take_both(&pen, &book);
    return unused;
}

static void *bob(void *unused)
{
    take_both(&book, &pen); /* the other way round */
    return unused;
}

int main(void)
{
    pthread_t clerks[2];
    if (pthread_create(&clerks[0], NULL, ann, NULL) != 0 ||
        pthread_create(&clerks[1], NULL, bob, NULL) != 0)
        return EXIT_FAILURE;
    pthread_join(clerks[0], NULL);
    pthread_join(clerks[1], NULL);
    printf("done\n");
    return EXIT_SUCCESS;
}
