/* TCP for servers and clients: listen, accept, connect, wait, write, refuse. */

#ifndef TCP_H
#define TCP_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* How long a clerk waits for a client, in nanoseconds; 0 means for ever. Set
 * before the first client. */
struct tcp_limits {
    int64_t idle_ns;    /* for a request to begin */
    int64_t request_ns; /* for a request to be complete, from its first byte */
    int64_t write_ns;   /* for a reader that stands still */
};
extern struct tcp_limits tcp_limits;

enum { ADDRESS_LENGTH = 64 }; /* room for "[IPv6 address%interface]:port" */

/* Why a wait ended. */
enum wake { READY, LATE, STOPPED, RUNG };

/* The one way to wait. Returns READY when fd is ready for events (of poll(2))
 * or has failed, LATE when the deadline (now_ns) has passed, STOPPED when a
 * stop was asked for and ends_on_stop. An fd of -1 is never ready: a pause. */
enum wake tcp_wait(int fd, short events, int64_t deadline, bool ends_on_stop);

/* Waits as tcp_wait does, and returns RUNG as soon as bell, the reading end of
 * a pipe, is readable: other threads can end the wait. */
enum wake tcp_wait_or_bell(int fd, short events, int bell, int64_t deadline,
                           bool ends_on_stop);

/* Waits until the socket takes bytes again. Returns LATE when the client has
 * acknowledged nothing for tcp_limits.write_ns, else as tcp_wait_or_bell. */
enum wake tcp_wait_for_reader(int client, int bell, bool ends_on_stop);

/* Looks up a numeric address or a name. Exits with one clear line on failure.
 * The caller frees the list with freeaddrinfo. */
struct addrinfo *tcp_resolve(const char *host, int port);

/* Returns a socket that listens on host and port (0: any free one). backlog is
 * how many connections the kernel completes while nobody accepts (listen(2)).
 * From now on signals stop the server, and a stop closes the socket at once, so
 * that newcomers are refused. Exits with one clear line on failure. */
int tcp_listen(const char *host, int port, int backlog);

/* The backlog that the kernel grants to one who asks for it: it silently caps
 * at net.core.somaxconn (listen(2)). */
int tcp_granted_backlog(int backlog);

/* Waits for the next client and returns its socket, which the caller closes; or
 * -1 when the server is to stop. The failure of one client, and a shortage of
 * descriptors or memory, are outlived: it tries again. */
int tcp_accept(int listener);

/* Tells a client of the accept loop that it is not served and takes over its
 * socket: the words must be read before it is closed (closing with unread input
 * resets the connection, RFC 9112 section 9.6), and nobody waits for that. Only
 * for the thread that accepts. */
void tcp_refuse(int client, const char *words);

/* Connects to the first address in the list that answers. Returns the socket,
 * or -1 with errno. The caller closes it. */
int tcp_connect(const struct addrinfo *addresses);

/* Sets the limit on open descriptors to most, or as far as it may be raised.
 * Returns the limit. Exits on failure. */
int tcp_raise_descriptor_limit(int most);

/* Says in words why a connection failed with this errno, and what to look for.
 */
const char *tcp_reason(int error);

/* Writes all of data. Returns 0, or -1 with errno: ETIMEDOUT when the reader
 * stood still for tcp_limits.write_ns, else that of send(2). */
int tcp_write(int client, const void *data, size_t size);

/* Writes size bytes of file from offset, without a way through our memory where
 * the kernel can do that. Returns 0, or -1 with errno as tcp_write does; EIO
 * when the file ends before that. */
int tcp_write_file(int client, int file, off_t offset, off_t size);

/* Is the socket's own address one that only this machine can reach? */
bool tcp_is_loopback(int fd);

/* Says words if the socket takes them at once, says that nothing will follow,
 * and discards what arrives until the client closes, but for linger_ns at most
 * (0: only what is there). The caller closes. */
void tcp_last_words(int client, const char *words, int64_t linger_ns);

/* Writes the socket's own address into text, as in 127.0.0.1:9000. */
void tcp_own_address(int fd, char text[ADDRESS_LENGTH]);

#endif
