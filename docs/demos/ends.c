/* What happens to threads when main ends: ends HOW, where HOW is return,
 * pthread_exit, join or detach. See docs/2b-threads.md. */

#include <err.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *work(void *name)
{
    printf("%s begins\n", (const char *)name);
    usleep(300 * 1000);
    printf("%s is done\n", (const char *)name);
    return NULL;
}

int main(int argc, char *argv[])
{
    const char *how = argc > 1 ? argv[1] : "return";
    pthread_t clerk;
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line is out at once */
    errno = pthread_create(&clerk, NULL, work, "the clerk");
    if (errno != 0)
        err(EXIT_FAILURE, "cannot start a thread");
    usleep(100 * 1000);

    if (strcmp(how, "join") == 0)
        pthread_join(clerk, NULL); /* waits until the clerk is done */
    if (strcmp(how, "detach") == 0)
        pthread_detach(clerk); /* gives back what it holds, waits for nobody */
    printf("main ends by %s\n", how);
    if (strcmp(how, "pthread_exit") == 0)
        pthread_exit(NULL); /* ends this thread only */
    return EXIT_SUCCESS;    /* ends the process */
}
