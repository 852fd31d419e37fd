/* The plan of a run: flags, modes, and what follows from them. */

#include "plan.h"

#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "flags.h"

struct plan plan = {
    .host = "127.0.0.1",
    .port = 9000,
    .clients = 20,
    .requests = 1,
    .seed = 1,
    .timeout_ns = 30 * NS_PER_S,
    .duration_ns = 5 * NS_PER_S,
    .gap_ns = 500 * NS_PER_MS,
};

static const struct mode modes[] = {
    {.name = "burst", .is_counted = true},
    {.name = "closed", .is_counted = true, .repeats = true},
    {.name = "rate", .rate = 100},
    {.name = "hold", .rate = 4000, .is_counted = true, .stays = true},
    {.name = "slow", .rate = 4000, .is_counted = true, .stays = true},
    {.name = "probe", .rate = 100},
    {.name = "summary", .summarises = true},
};

static const char about[] =
    "modes\n"
    "  burst   all clients at one instant, one request each\n"
    "  closed  users who ask, wait for the answer, think and ask again\n"
    "  rate    starts by a schedule that no answer can hold up (open loop)\n"
    "  hold    clients that connect, are greeted and stay\n"
    "  slow    clients that keep a thread of the server busy for nothing\n"
    "  probe   one good client at a regular rate\n"
    "  summary FILE...  sums up records that were written before\n"
    "After a run, or for each file, a few lines say what it has come to.\n"
    "With --json (no value) one object says it, in milliseconds; no CSV then\n"
    "goes to standard output.\n"
    "An attempt that is under way when starts end still has its --timeout. In\n"
    "closed, a user pauses for 10 ms after a failure. hold and slow print\n"
    "\"holding N\" when all have come, and SIGTERM ends them in good order.\n"
    "Exit status: 0 when the run took place, whatever became of the clients;\n"
    "1 system, 2 usage, 128 + the signal that cut it short.\n";

static const char *speak = "desk", *kind = "silent", *arrivals = "constant";

static const struct flag flags[] = {
    {"host", "where the server is", .text = &plan.host},
    {"port", "its port", .number = &plan.port, .min = 1, .max = 65535},
    {"speak", "the protocol", .text = &speak, .choices = "desk|http"},
    {"say",
     "what each client asks: a line, or a path of http\n"
     "        (if not given: echo hello, or /; in hold nothing)",
     .text = &plan.say},
    {"head", "what the first attempt asks instead", .text = &plan.head},
    {"rare", "what a share of attempts asks instead", .text = &plan.rare},
    {"rare-per-mille", "that share", .number = &plan.rare_per_mille,
     .max = 1000},
    {"rare-count",
     "rate: exactly so many of the attempts that --rate and\n"
     "        --duration expect (0: left to chance)",
     .number = &plan.rare_count, .max = 1000000},
    {"clients", "burst, closed, hold, slow: how many", .number = &plan.clients,
     .min = 1, .max = 1000000},
    {"timeout", "what one attempt may take", .duration_ns = &plan.timeout_ns},
    {"duration",
     "closed, rate, probe: for how long attempts start;\n"
     "        hold, slow: how long clients stay when all have come",
     .duration_ns = &plan.duration_ns},
    {"think", "closed: from a reply to the next request",
     .duration_ns = &plan.think_ns},
    {"requests", "closed: requests on a connection, 0 for no end",
     .number = &plan.requests, .max = 1000000000},
    {"rate",
     "starts per second (0: 100 in rate and probe, 4000 in hold and\n"
     "        slow; burst and closed start all at one instant)",
     .number = &plan.rate, .max = 1000000},
    {"arrivals", "how starts are spaced", .text = &arrivals,
     .choices = "constant|poisson"},
    {"seed", "same seed: same arrivals, same rare ones", .number = &plan.seed,
     .max = INT32_MAX},
    {"kind",
     "slow: sends nothing, or a byte at a time but never the last, or\n"
     "        asks and does not read the reply",
     .text = &kind, .choices = "silent|dribble|deaf"},
    {"gap", "slow: from one byte of a dribble to the next",
     .duration_ns = &plan.gap_ns},
    {"sources",
     "how many addresses from 127.0.0.1 on (0: enough for the ports)",
     .number = &plan.sources, .max = MAX_SOURCES},
    {"series", "also a line for each interval, such as 1s (0: none)",
     .duration_ns = &plan.series_ns},
    {"output", "the CSV file (if not given: standard output)",
     .text = &plan.output},
    {0},
};

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (name != NULL && strcmp(modes[i].name, name) == 0)
            return &modes[i];
    errx(EXIT_USAGE, "%s: not one of burst|closed|rate|hold|slow|probe|summary",
         name != NULL ? name : "no mode");
}

static enum behaviour find_behaviour(void)
{
    if (strcmp(plan.mode->name, "slow") != 0)
        return ORDINARY;
    if (strcmp(kind, "silent") == 0)
        return SILENT;
    return strcmp(kind, "deaf") == 0 ? NOT_READING : DRIBBLES;
}

static void read_words(void)
{
    plan.is_http = strcmp(speak, "http") == 0;
    plan.is_poisson = strcmp(arrivals, "poisson") == 0;
    plan.behaviour = find_behaviour();
    if (plan.say == NULL && strcmp(plan.mode->name, "hold") != 0)
        plan.say = plan.is_http ? "/" : "echo hello";
    if (plan.mode->rate == 0 || plan.rate == 0)
        plan.rate = plan.mode->rate;
}

/* [::1] is how a URL has it, and ::1 what is looked up. */
static void strip_brackets(void)
{
    static char bare[INET6_ADDRSTRLEN];
    size_t length = strlen(plan.host);
    if (*plan.host != '[' || plan.host[length - 1] != ']' ||
        length > sizeof bare)
        return;
    memcpy(bare, plan.host + 1, length - 2);
    plan.host = bare;
}

static void check_plan(void)
{
    if (strcmp(plan.mode->name, "hold") == 0 && plan.output == NULL)
        errx(EXIT_USAGE, "hold: needs --output; standard output says when all "
                         "are in position");
    if (plan.rare_per_mille > 0 && plan.rare == NULL)
        errx(EXIT_USAGE, "--rare-per-mille: needs --rare, which says what");
}

/* Takes --json out of the arguments, for it has no value. */
static int take_json(int argc, char *argv[])
{
    int kept = 1;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--json") == 0)
            plan.is_json = true;
        else
            argv[kept++] = argv[i];
    argv[kept] = NULL;
    return kept;
}

void plan_read(int argc, char *argv[])
{
    argc = take_json(argc, argv);
    int operands = flags_parse(argc, argv, flags, "MODE", about);
    plan.mode = find_mode(argv[1]);
    if (operands > 1 && !plan.mode->summarises)
        errx(EXIT_USAGE, "%s: one mode is enough", argv[2]);
    if (operands == 1 && plan.mode->summarises)
        errx(EXIT_USAGE, "summary: needs a file of records, or several");
    plan.files = argv + 2;
    read_words();
    strip_brackets();
    check_plan();
}
