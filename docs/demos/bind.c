/* Tries to bind a port, with SO_REUSEADDR if a second word is given, and says
 * what the kernel thinks of it: see docs/a-sockets.md. */

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int argc, char *argv[])
{
    int port = argc > 1 ? atoi(argv[1]) : 9000;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((unsigned short)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (argc > 2)
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    int failed = bind(listener, (struct sockaddr *)&address, sizeof address);
    printf("bind %s SO_REUSEADDR: %s\n", argc > 2 ? "with" : "without",
           failed ? strerror(errno) : "done");
    return EXIT_SUCCESS;
}
