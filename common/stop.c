/* Stopping by the self-pipe trick (Bernstein): the handler makes a pipe
 * readable and leaves it so. A flag alone could be set between the test and the
 * wait, and the wait would miss it.
 *
 * Few threads wait for the pipe. If all who wait for a client did, each of
 * their waits would take the lock of the one pipe, twice; so the handler hangs
 * up on the clients who are idle, which is news from their own sockets. */

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
    /* The number must stay taken while the accept loop may still use it, so the
     * listener is not closed but replaced: the kernel refuses newcomers now. */
    dup2(stop_pipe[0], open_listener);
    ssize_t written = write(stop_pipe[1], "", 1);
    (void)written; /* a full pipe is readable too */
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
