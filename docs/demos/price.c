/* What a call, a switch and a thread cost on this machine. See
 * docs/2b-threads.md. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TIMES = 20000 };

static int ping[2], pong[2];

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *do_nothing(void *unused)
{
    return unused;
}

/* Gives back each byte that it gets. */
static void *answer(void *unused)
{
    char byte;
    while (read(ping[0], &byte, 1) == 1)
        if (write(pong[1], &byte, 1) != 1)
            break;
    return unused;
}

static void call(void)
{
    getppid();
}

static void create_and_join(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0)
        pthread_join(thread, NULL);
}

/* A byte to the other thread and back: each of the two waits for the other. */
static void switch_twice(void)
{
    char byte = 'x';
    if (write(ping[1], &byte, 1) != 1 || read(pong[0], &byte, 1) != 1)
        exit(EXIT_FAILURE);
}

static void measure(const char *what, void (*action)(void), int per_action)
{
    double begin = now_us();
    for (int i = 0; i < TIMES; i++)
        action();
    printf("%-28s %6.2f us\n", what, (now_us() - begin) / TIMES / per_action);
}

int main(void)
{
    pthread_t other;
    if (pipe(ping) == -1 || pipe(pong) == -1 ||
        pthread_create(&other, NULL, answer, NULL) != 0)
        return EXIT_FAILURE;
    measure("a system call", call, 1);
    measure("a switch to another thread", switch_twice, 2);
    measure("a thread, from begin to end", create_and_join, 1);
    return EXIT_SUCCESS;
}
