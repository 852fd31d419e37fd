/* A list of children. Those that have ended are zombies until somebody asks. */

#include "processes.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "stop.h"

static pid_t children[MAX_PROCESSES];
static int count;

/* The handler that was inherited would write to the parent's pipe. */
static void become_child(int listener, bool keeps_listener)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    stop_on_signals(listener);
    if (!keeps_listener)
        dup2(stop_fd(), listener); /* closes it, and keeps the number in use */
}

pid_t process_start(int listener, bool keeps_listener)
{
    pid_t child = fork();
    if (child == 0)
        become_child(listener, keeps_listener);
    else if (child != -1)
        children[count++] = child;
    return child;
}

static void forget(pid_t child)
{
    for (int i = 0; i < count; i++)
        if (children[i] == child)
            children[i] = children[--count];
}

void processes_await(int max)
{
    pid_t child;
    while (count > 0 &&
           (child = waitpid(-1, NULL, count > max ? 0 : WNOHANG)) != 0)
        if (child != -1) /* else a signal came */
            forget(child);
}

void processes_stop(void)
{
    for (int i = 0; i < count; i++)
        kill(children[i], SIGTERM);
    processes_await(0);
}
