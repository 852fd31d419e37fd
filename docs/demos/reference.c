/* Lab 0 with a thread for each client, and mistake M3 in it: the thread gets
 * the address of the loop's variable. See docs/4e-debugging.md. */

#include <arpa/inet.h>
#include <err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static void *serve_client(void *where)
{
    int client = *(int *)where; /* perhaps the next one's already */
    char bytes[4096];
    ssize_t length;
    while ((length = read(client, bytes, sizeof bytes)) > 0)
        if (write(client, bytes, (size_t)length) != length)
            break;
    close(client);
    return NULL;
}

int main(int argc, char *argv[])
{
    int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((in_port_t)atoi(argc > 1 ? argv[1] : "9000")),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) == -1 ||
        listen(listener, SOMAXCONN) == -1)
        err(EXIT_FAILURE, "cannot listen");
    printf("listening\n");
    fflush(stdout);
    int client;
    while ((client = accept(listener, NULL, NULL)) != -1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve_client, &client) == 0)
            pthread_detach(thread);
    }
}
