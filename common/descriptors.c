/* The limit on descriptors, and the standard ones. */

#include "descriptors.h"

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

int descriptors_raise_limit(int wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        err(EXIT_FAILURE, "cannot read the limit on descriptors");
    limit.rlim_cur =
        limit.rlim_max < (rlim_t)wanted ? limit.rlim_max : (rlim_t)wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
        err(EXIT_FAILURE, "cannot set the limit on descriptors");
    return (int)limit.rlim_cur;
}

void descriptors_need_output(void)
{
    if (fcntl(STDOUT_FILENO, F_GETFD) == -1)
        err(EXIT_FAILURE, "cannot write to standard output");
}

/* open returns the lowest free number (open(2)). */
void descriptors_open_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd != -1 && fd <= STDERR_FILENO);
    if (fd == -1)
        err(EXIT_FAILURE, "cannot open /dev/null");
    close(fd);
}
