/* Starts threads that only wait, until there are no more: overload [KIB], with
 * stacks of so many KiB. See docs/2b-threads.md. */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_THREADS = 20000 };

static void *wait_for_ever(void *unused)
{
    pause();
    return unused;
}

int main(int argc, char *argv[])
{
    pthread_attr_t stack;
    pthread_t thread;
    int count = 0, reason = 0;
    pthread_attr_init(&stack);
    if (argc > 1)
        pthread_attr_setstacksize(&stack, (size_t)atoi(argv[1]) * 1024);
    while (count < MAX_THREADS && reason == 0) {
        reason = pthread_create(&thread, &stack, wait_for_ever, NULL);
        count += reason == 0;
    }
    printf("%d threads wait", count);
    printf(reason == 0 ? "\n" : ", then: %s\n", strerror(reason));
    return EXIT_SUCCESS; /* ends them all */
}
