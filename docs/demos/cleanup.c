/* Serves three bad clients with a function that forgets, and with one that
 * cannot: what `with` is elsewhere. See docs/b-clean-up.md. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Called with the address of a variable that goes out of scope. */
static void close_it(int *fd)
{
    if (*fd != -1)
        close(*fd);
}

static int forgetful(int problem)
{
    int fd = open("/", O_RDONLY); /* stands for a client */
    if (problem)
        return -1; /* and the descriptor? */
    close(fd);
    return 0;
}

static int careful(int problem)
{
    __attribute__((cleanup(close_it))) int fd = open("/", O_RDONLY);
    if (fd == -1 || problem)
        return -1; /* close_it runs here */
    return 0;      /* and here */
}

/* The number that the next descriptor gets: one more for each that is open. */
static int next_descriptor(void)
{
    int fd = dup(STDOUT_FILENO);
    close(fd);
    return fd;
}

static void try_it(const char *name, int (*serve)(int problem))
{
    int before = next_descriptor();
    for (int i = 0; i < 3; i++)
        serve(1);
    printf("%s: %d descriptors lost\n", name, next_descriptor() - before);
}

int main(void)
{
    try_it("forgetful", forgetful);
    try_it("careful", careful);
    return EXIT_SUCCESS;
}
