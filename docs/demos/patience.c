/* Connects, but waits no longer than a limit: patience PORT SECONDS. See
 * docs/4b-backlog.md. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Returns a connected socket; -1, with errno, if it took too long or failed. */
static int connect_within(const struct sockaddr_in *address, int limit_ms)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int reason = 0;
    socklen_t size = sizeof reason;
    fcntl(fd, F_SETFL, O_NONBLOCK); /* connect returns at once: EINPROGRESS */
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
        return fd;
    if (errno != EINPROGRESS)
        return -1;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (poll(&wait, 1, limit_ms) == 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size); /* how did it end? */
    errno = reason;
    return reason == 0 ? fd : -1;
}

int main(int argc, char *argv[])
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)atoi(argc > 1 ? argv[1] : "9000")),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = connect_within(&address, atoi(argc > 2 ? argv[2] : "2") * 1000);
    printf("connect: %s\n", fd == -1 ? strerror(errno) : "done");
    return EXIT_SUCCESS;
}
