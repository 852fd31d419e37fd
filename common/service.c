/* The table of services, and what all of them have in common. */

#include "service.h"

#include <err.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "quota.h"
#include "refuse.h"
#include "say.h"
#include "services/services.h"
#include "stop.h"
#include "tcp.h"
#include "wait.h"

#define DEFER_NS (60 * NS_PER_S) /* where there is no limit */

enum { MAX_DETAILS = 256, MAX_LIST = 2048, MAX_FLAGS = 32 };

static const struct service *const services[] = {&echo_service,  &desk_service,
                                                 &chat_service,  &http_service,
                                                 &files_service, NULL};

static const struct service *service;

/* What every server is told. */
static const char *host = "127.0.0.1", *trace;
static int port = 9000;
static const struct flag shared_flags[] = {
    {"host", "address to listen on, * for all", .text = &host},
    {"port", "port, 0 for any free one", .number = &port, .max = 65535},
    {"trace", "file for one CSV row per client", .text = &trace},
    {0},
};

const char *service_host(void)
{
    return host;
}

/* What a server is told if its waits have limits. */
static bool has_limits;
static const struct flag limit_flags[] = {
    {"idle-timeout", "how long a worker waits for a request to begin",
     .duration_ns = &wait_limits.idle_ns},
    {"request-timeout", "how long a request may take to arrive",
     .duration_ns = &wait_limits.request_ns},
    {"write-timeout", "how long a reader may stand still",
     .duration_ns = &wait_limits.write_ns},
    {"min-rate", "bytes per second, of a long upload and of a reader",
     .rate = &wait_limits.min_rate},
    {"min-patience", "what is left of each limit while many others wait",
     .duration_ns = &wait_limits.min_patience_ns},
    {0},
};

/* What --help says about services. */
static const char *list_services(void)
{
    static char list[MAX_LIST];
    size_t length = (size_t)snprintf(list, sizeof list, "services:\n");
    for (size_t i = 0; services[i] != NULL && length < sizeof list; i++)
        length += (size_t)snprintf(
            list + length, sizeof list - length, "  %s%s%s%s\n        %s\n",
            services[i]->name, services[i]->argument != NULL ? " " : "",
            services[i]->argument != NULL ? services[i]->argument : "",
            i == 0 ? " (the default)" : "", services[i]->help);
    return list;
}

/* The names of all services, for the error message. */
static const char *service_names(void)
{
    static char names[MAX_LIST];
    size_t length = 0;
    for (size_t i = 0; services[i] != NULL && length < sizeof names; i++)
        length +=
            (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                             i == 0 ? "" : ", ", services[i]->name);
    return names;
}

static const struct service *find_service(const char *name)
{
    for (size_t i = 0; services[i] != NULL; i++)
        if (strcmp(services[i]->name, name) == 0)
            return services[i];
    errx(EXIT_USAGE, "%s: unknown service; there is %s", name, service_names());
}

/* The first operand: every flag has a value, so it is the first argument that
 * is neither a flag nor the value of the flag before it; or NULL. */
static const char *first_operand(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || argv[i][1] == '\0')
            return argv[i];
        if (strcmp(argv[i], "--") == 0)
            return argv[i + 1]; /* NULL behind the last */
        bool takes_next =
            strcmp(argv[i], "--help") != 0 && strchr(argv[i], '=') == NULL;
        i += takes_next;
    }
    return NULL;
}

/* Appends the flags of a table, without its end, to all. */
static size_t append_flags(struct flag *all, size_t count,
                           const struct flag *flags)
{
    for (; flags != NULL && flags->name != NULL && count < MAX_FLAGS; flags++)
        all[count++] = *flags;
    return count;
}

/* argv[1] is the service's name, if there is one, argv[2] its argument. */
static void check_operands(int count, char *argv[])
{
    const char *argument = count > 1 ? argv[2] : NULL;
    if (service->argument == NULL && argument != NULL)
        errx(EXIT_USAGE, "%s: the service %s takes no argument", argument,
             service->name);
    if (service->argument != NULL && argument == NULL)
        errx(EXIT_USAGE, "the service %s needs an argument: %s %s",
             service->name, service->name, service->argument);
    if (count > 2)
        errx(EXIT_USAGE, "%s: one service and one argument are accepted",
             argv[3]);
}

void service_limit_waits(void)
{
    has_limits = true;
    wait_limits = (struct wait_limits){
        .idle_ns = 30 * NS_PER_S,
        .request_ns = 10 * NS_PER_S,
        .write_ns = 10 * NS_PER_S,
        .min_rate = 1000,
        .min_patience_ns = 250 * NS_PER_MS,
    };
}

void service_choose(int argc, char *argv[], const struct flag *flags)
{
    const char *name = first_operand(argc, argv);
    service = name != NULL ? find_service(name) : services[0];

    struct flag all[MAX_FLAGS + 1] = {0};
    size_t length = append_flags(all, 0, shared_flags);
    length = append_flags(all, length, flags);
    length = append_flags(all, length, has_limits ? limit_flags : NULL);
    append_flags(all, length, service->flags);
    int count =
        flags_parse(argc, argv, all, "[SERVICE [ARGUMENT]]", list_services());
    check_operands(count, argv);
    quota_check_server(flags, 1 + service->more_descriptors);
    if (service->open != NULL)
        service->open(count > 1 ? argv[2] : NULL);
}

int service_listen(int backlog)
{
    visits_open(trace);
    return tcp_listen(host, port, backlog);
}

void service_defer_accept(int listener)
{
    bool is_limited = wait_limits.idle_ns > 0;
    int64_t limit_ns = is_limited ? wait_limits.idle_ns : DEFER_NS;
    if (service->client_speaks_first && tcp_defer_accept(listener, limit_ns) &&
        is_limited)
        wait_limits.first_ns = wait_limits.min_patience_ns;
}

void service_announce(const char *lab, int listener, const char *details, ...)
{
    char text[MAX_DETAILS];
    va_list arguments;
    va_start(arguments, details);
    vsnprintf(text, sizeof text, details, arguments);
    va_end(arguments);

    char address[ADDRESS_LENGTH];
    address_of_socket(listener, address);
    say_as(lab);
    if (stop_requested())
        return; /* the listener has gone, perhaps before its address was read */
    bool is_both = strncmp(address, "[::]:", strlen("[::]:")) == 0;
    bool is_local = is_both && strcmp(host, "localhost") == 0;
    bool is_open =
        is_both || strncmp(address, "0.0.0.0:", strlen("0.0.0.0:")) == 0;
    if (!say("listening on %s%s (%s, %s%s)", is_local ? host : "",
             is_local ? strrchr(address, ':') : address, service->name, text,
             is_open && !is_local ? ", open to all networks" : ""))
        err(EXIT_FAILURE, "cannot announce the port on standard output");
}

void service_talk(int client)
{
    long number = visit_begin(client);
    if (stop_requested()) {
        refuse_last_words(client, service->busy, 0);
        visit_end(client, REFUSED);
    } else {
        visit_end(client, service->talk(client, number));
    }
}

void service_refuse(int client)
{
    visit_end(client, REFUSED);
    refuse_client(client, service->busy);
}
