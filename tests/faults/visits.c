/* A client that connects again and again, one visit after the other, and in one
 * kind of visit leaves with a reset at a random point:
 *
 *     visits PORT COUNT whole|reset SEED
 *
 * It reads the greeting of the echo service, and gets one line back. It ends
 * with status 1 and a line of its own when a visit does not go as it should. */

#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char line[] = "one line, please\n";

static int connect_to(int port)
{
    struct sockaddr_in server = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1 || connect(fd, (struct sockaddr *)&server, sizeof server) != 0)
        err(1, "cannot connect");
    return fd;
}

/* Reads a line, which has no more than the server sends at once. */
static void read_line(int fd, char *words, size_t size)
{
    size_t length = 0;
    while (length == 0 || words[length - 1] != '\n') {
        ssize_t more = recv(fd, words + length, size - 1 - length, 0);
        if (more <= 0)
            err(1, "received %zu bytes, then %s", length,
                more == 0 ? "the end" : "an error");
        length += (size_t)more;
    }
    words[length] = '\0';
}

static void visit(int port)
{
    char words[256];
    int fd = connect_to(port);
    read_line(fd, words, sizeof words);
    if (strncmp(words, "Hello, client ", strlen("Hello, client ")) != 0)
        errx(1, "greeted with %s", words);
    if (send(fd, line, strlen(line), MSG_NOSIGNAL) != (ssize_t)strlen(line))
        err(1, "cannot send");
    read_line(fd, words, sizeof words);
    if (strcmp(words, line) != 0)
        errx(1, "asked for %swas told %s", line, words);
    close(fd);
}

/* Comes, does some of what visit does, perhaps without reading, and is gone. */
static void visit_and_reset(int port)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    char words[256];
    int fd = connect_to(port);
    int steps = rand() % 6;
    if (steps > 0 && rand() % 2 == 0)
        read_line(fd, words, sizeof words);
    for (int i = 1; i < steps; i++)
        send(fd, line, 1 + (size_t)rand() % strlen(line), MSG_NOSIGNAL);
    if (rand() % 4 == 0)
        shutdown(fd, SHUT_WR);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

int main(int argc, char *argv[])
{
    if (argc != 5)
        errx(2, "usage: visits PORT COUNT whole|reset SEED");
    int port = atoi(argv[1]);
    srand((unsigned)atoi(argv[4]));
    for (long left = atol(argv[2]); left > 0; left--)
        if (strcmp(argv[3], "whole") == 0)
            visit(port);
        else
            visit_and_reset(port);
    return 0;
}
