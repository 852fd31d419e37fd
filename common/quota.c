/* Limits on descriptors, threads and ports. */

#include "quota.h"

#include <err.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    OWN_DESCRIPTORS = 10, /* the standard ones, listener, pipes, trace */
    MAX_ASKED = 256,
};

enum quota_kind quota_client_needs = A_THREAD;

/* Reads the first two numbers in a file of the kernel. Returns how many it has:
 * 0 where there is no such file (only Linux has them), or no limit ("max"). */
static int read_numbers(const char *path, int64_t numbers[2])
{
    char text[64] = "", *rest = text;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    int count = 0;
    for (char *begin = text; length > 0 && count < 2; begin = rest) {
        numbers[count] = strtoll(begin, &rest, 10);
        if (rest == begin)
            break;
        count++;
    }
    return count;
}

static int64_t descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
        limit.rlim_max > (rlim_t)INT64_MAX)
        return INT64_MAX;
    return (int64_t)limit.rlim_max; /* descriptors_raise_limit goes up to it */
}

/* The limit of the user, which is none for root, or of the container. */
static int64_t threads(void)
{
    struct rlimit limit;
    int64_t numbers[2], least = INT64_MAX;
    if (geteuid() != 0 && getrlimit(RLIMIT_NPROC, &limit) == 0 &&
        limit.rlim_cur < (rlim_t)INT64_MAX)
        least = (int64_t)limit.rlim_cur;
    if (read_numbers("/sys/fs/cgroup/pids.max", numbers) > 0 &&
        numbers[0] < least)
        least = numbers[0];
    return least;
}

static int64_t ports(void)
{
    int64_t range[2];
    if (read_numbers("/proc/sys/net/ipv4/ip_local_port_range", range) < 2)
        return INT64_MAX;
    return range[1] >= range[0] ? range[1] - range[0] + 1 : INT64_MAX;
}

static int64_t backlog(void)
{
    int64_t numbers[2];
    bool is_known = read_numbers("/proc/sys/net/core/somaxconn", numbers) > 0;
    return is_known ? numbers[0] : INT64_MAX;
}

static const struct {
    const char *name;
    int64_t (*allowed)(void);
    const char *more;
    bool takes_number;
} quotas[] = {
    [DESCRIPTORS] = {"descriptors", descriptors, "ulimit -n", true},
    [THREADS] = {"threads", threads, "ulimit -u", true},
    [PORTS] = {"ports", ports, "sysctl net.ipv4.ip_local_port_range", false},
    [BACKLOG] = {"places", backlog, "sysctl net.core.somaxconn", false},
};

int64_t quota_allowed(enum quota quota)
{
    return quotas[quota].allowed();
}

void quota_check(enum quota quota, const char *asked, int64_t needed,
                 const char *follows)
{
    int64_t allowed = quota_allowed(quota);
    char number[32] = "";
    if (needed <= allowed)
        return;
    if (quotas[quota].takes_number)
        snprintf(number, sizeof number, " %" PRId64, needed);
    warnx("%s needs %" PRId64 " %s, but may have %" PRId64
          ": %s (more: %s%s; or ask for less)",
          asked, needed, quotas[quota].name, allowed, follows,
          quotas[quota].more, number);
}

/* Is the flag a number of clients that the server holds at once? */
static bool counts_clients(const struct flag *flag)
{
    static const char *const names[] = {"max-clients", "threads", "workers",
                                        "queue"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (flag->name != NULL && strcmp(flag->name, names[i]) == 0)
            return true;
    return false;
}

void quota_check_server(const struct flag *flags, int each)
{
    char asked[MAX_ASKED] = "";
    size_t length = 0;
    int64_t clients = 0, holders = 0;
    for (; flags != NULL && flags->name != NULL; flags++) {
        if (!counts_clients(flags) || length >= sizeof asked)
            continue;
        clients += *flags->number;
        if (strcmp(flags->name, "queue") != 0)
            holders += *flags->number;
        length += (size_t)snprintf(asked + length, sizeof asked - length,
                                   "%s--%s=%d", length > 0 ? " " : "",
                                   flags->name, *flags->number);
    }
    if (length == 0)
        snprintf(asked, sizeof asked, "one client at a time");
    if (quota_client_needs == A_COROUTINE)
        each = 1; /* most of them wait, and have no file meanwhile */
    if (quota_client_needs != A_PROCESS)
        quota_check(DESCRIPTORS, asked, clients * each + OWN_DESCRIPTORS,
                    "some clients will have to wait");
    if (quota_client_needs != A_COROUTINE)
        quota_check(THREADS, asked, holders, "some cannot be started");
}
