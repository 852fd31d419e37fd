/* Two threads put a million members each at the head of one list: without a
 * lock, with it (race lock), or with it but in two steps (race steps). See
 * docs/f-locks.md. */

#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CROWDS = 2, EACH = 1000000 };

struct member {
    struct member *next;
};

static struct member everybody[CROWDS][EACH];
static struct member *members; /* the list: this is shared */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void come(struct member *self)
{
    self->next = members; /* look: who is first? */
    members = self;       /* take: now I am */
}

static void come_locked(struct member *self)
{
    pthread_mutex_lock(&lock);
    come(self);
    pthread_mutex_unlock(&lock);
}

static void come_in_steps(struct member *self)
{
    pthread_mutex_lock(&lock);
    self->next = members;
    pthread_mutex_unlock(&lock);
    pthread_mutex_lock(&lock);
    members = self;
    pthread_mutex_unlock(&lock);
}

static void (*how)(struct member *self) = come;

static void *come_all(void *crowd)
{
    for (int i = 0; i < EACH; i++)
        how((struct member *)crowd + i);
    return NULL;
}

int main(int argc, char *argv[])
{
    pthread_t threads[CROWDS];
    int count = 0;
    if (argc > 1)
        how = strcmp(argv[1], "lock") == 0 ? come_locked : come_in_steps;
    for (int i = 0; i < CROWDS; i++)
        if (pthread_create(&threads[i], NULL, come_all, everybody[i]) != 0)
            errx(EXIT_FAILURE, "cannot start a thread");
    for (int i = 0; i < CROWDS; i++)
        pthread_join(threads[i], NULL);
    for (const struct member *one = members; one != NULL; one = one->next)
        count++;
    printf("%d came, %d are in the list\n", CROWDS * EACH, count);
    return EXIT_SUCCESS;
}
