#include "skeleton.h"

#include <signal.h>
#include <sys/wait.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

int workers = 16;
const struct flag workers_flag[] = {
    {"workers", "how many serve", .number = &workers, 1, MAX_WORKERS}, {0}};

static pthread_t threads[MAX_WORKERS];
static pid_t children[MAX_PROCESSES];
static int thread_count, child_count;

void serve_client(int client)
{
    service_talk(client);
    close(client);
}

void start_threads(int count, void *(*work)(void *))
{
    for (; thread_count < count; thread_count++)
        if ((errno = pthread_create(&threads[thread_count], NULL, work,
                                    (void *)(long)thread_count)) != 0)
            err(EXIT_FAILURE, "cannot start thread %d", thread_count + 1);
}

bool start_process(void (*run)(int), int fd, int listener)
{
    pid_t child = fork();
    if (child == 0) {
#ifdef __linux__
        prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
        stop_on_signals(listener); /* the inherited pipe is the parent's */
        if (fd != listener)
            dup2(stop_fd(), listener); /* or it would outlive the parent's */
        run(fd);
        _exit(EXIT_SUCCESS);
    }
    if (child != -1)
        children[child_count++] = child;
    return child != -1;
}

void await_processes(int max)
{
    while (child_count > 0) {
        pid_t ended = waitpid(-1, NULL, child_count > max ? 0 : WNOHANG);
        if (ended == 0)
            return;
        for (int i = 0; i < child_count; i++)
            if (children[i] == ended)
                children[i] = children[--child_count];
    }
}

int finish(void)
{
    wait_for(-1, 0, NEVER, true); /* for a stop */
    for (int i = 0; i < child_count; i++)
        kill(children[i], SIGTERM);
    await_processes(0);
    while (thread_count > 0)
        pthread_join(threads[--thread_count], NULL);
    return visits_report();
}
