/* The self-pipe trick (Bernstein, https://cr.yp.to/docs/selfpipe.html): the
 * handler writes to a pipe, which stays readable. With a flag alone, a signal
 * between the test of the flag and the wait would be missed.
 *
 * Few threads poll this pipe. If every thread that waits for a client did, each
 * poll would take the lock of this one pipe twice; so on_stop shuts down the
 * sockets of idle clients, and each thread wakes up by its own socket. */

#include "stop.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static const int stop_signals[] = {SIGINT, SIGTERM, SIGHUP};

static int stop_pipe[2] = {-1, -1};
static int open_listener;
static atomic_bool is_requested;
static atomic_bool has_failed;
static void (*on_stop)(void);

static void request_stop(void)
{
    atomic_store(&is_requested, true);
    /* The accept loop may still use this number, so that it must not be given
     * to another file: dup2 closes the listening socket (the kernel refuses
     * connections from now on) and keeps the number in use. */
    dup2(stop_pipe[0], open_listener);
    ssize_t written = write(stop_pipe[1], "", 1);
    (void)written; /* fails if the pipe is full, and then it is readable */
    if (on_stop != NULL)
        on_stop();
}

static void on_signal(int signal_number)
{
    (void)signal_number;
    int saved_errno = errno;
    for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
        signal(stop_signals[i], SIG_DFL); /* a second one ends the process */
    request_stop();
    errno = saved_errno;
}

void stop_calls(void (*function)(void))
{
    on_stop = function;
}

void stop_on_signals(int listener)
{
    open_listener = listener;
    if (pipe(stop_pipe) == -1)
        err(EXIT_FAILURE, "cannot make a pipe");
    fcntl(stop_pipe[0], F_SETFD, FD_CLOEXEC);
    fcntl(stop_pipe[1], F_SETFD, FD_CLOEXEC);

    struct sigaction action = {.sa_handler = on_signal};
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof stop_signals / sizeof *stop_signals; i++)
        if (sigaction(stop_signals[i], &action, NULL) == -1)
            err(EXIT_FAILURE, "cannot set up signals");
    signal(SIGPIPE, SIG_IGN); /* a client that went away is one failed write */
    signal(SIGXFSZ, SIG_IGN); /* and so is a file that is too large */
}

void stop_after_failure(void)
{
    atomic_store(&has_failed, true);
    request_stop();
}

bool stop_requested(void)
{
    return atomic_load(&is_requested);
}

int stop_fd(void)
{
    return stop_pipe[0];
}

int stop_status(void)
{
    return atomic_load(&has_failed) ? EXIT_FAILURE : EXIT_SUCCESS;
}
