/* Sends three times to a client that has gone, with SIGPIPE ignored if a word
 * is given: see docs/a-sockets.md. */

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A connection over loopback, with both of its ends in this program. */
static void connect_both_ends(int *client, int *server)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK), /* on any free port */
    };
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *client = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, length) == -1 ||
        listen(listener, 1) == -1 ||
        getsockname(listener, (struct sockaddr *)&address, &length) == -1 ||
        connect(*client, (struct sockaddr *)&address, length) == -1)
        err(EXIT_FAILURE, "cannot connect");
    *server = accept(listener, NULL, NULL);
    close(listener);
}

int main(int argc, char *argv[])
{
    int client, server;
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF,
            0); /* each line is out before the next send */
    if (argc > 1)
        signal(SIGPIPE, SIG_IGN);
    connect_both_ends(&client, &server);
    close(client);
    for (int i = 1; i <= 3; i++) {
        ssize_t sent = send(server, "x", 1, 0);
        printf("send %d: %s\n", i, sent == 1 ? "done" : strerror(errno));
    }
    return EXIT_SUCCESS;
}
