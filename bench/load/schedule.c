/* The schedule: computed from its opening by arithmetic, so that lateness never
 * adds up, and from a generator of our own, so that it is the same anywhere. */

#include "schedule.h"

#include <err.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "clock.h"
#include "plan.h"

enum { MAX_TRIES = 100000 };

static int64_t opening, closing, next;
static int64_t taken;
static double poisson_units; /* from the opening to next, in mean gaps */
static uint64_t arrival_numbers, rare_numbers;
static struct request say, head, rare;

/* splitmix64, by Sebastiano Vigna: https://prng.di.unimi.it/splitmix64.c */
static uint64_t draw_number(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double draw_fraction(void)
{
    return (double)(draw_number(&arrival_numbers) >> 11) * 0x1p-53;
}

/* An exponential number of mean 1, by the inverse of its distribution; log1p is
 * exact where the fraction is small, and never sees a 1. */
static double draw_exponential(void)
{
    return -log1p(-draw_fraction());
}

static int64_t compute_start(void)
{
    if (plan.rate == 0)
        return opening;
    if (!plan.is_poisson)
        return opening + taken * NS_PER_S / plan.rate;
    poisson_units += draw_exponential();
    return opening + (int64_t)(poisson_units * (double)NS_PER_S / plan.rate);
}

static void plan_next(void)
{
    next = compute_start();
    if (plan.mode->is_counted ? taken == plan.clients : next >= closing)
        next = NEVER;
}

static bool draw_is_rare(uint64_t *state)
{
    return draw_number(state) % 1000 < (uint64_t)plan.rare_per_mille;
}

static int count_rare(uint64_t state, int64_t attempts)
{
    int count = 0;
    while (attempts-- > 0)
        count += draw_is_rare(&state);
    return count;
}

/* A short run with exactly its share of rare requests is more like a long run:
 * a stratified sample. So skip numbers until the next ones have that many. */
static void stratify_rare(void)
{
    int64_t attempts = plan.duration_ns / NS_PER_MS * plan.rate / 1000;
    if (plan.rare_count == 0)
        return;
    for (int i = 0; i < MAX_TRIES; i++) {
        if (count_rare(rare_numbers, attempts) == plan.rare_count)
            return;
        draw_number(&rare_numbers);
    }
    errx(EXIT_FAILURE, "--rare-count=%d: no such schedule found",
         plan.rare_count);
}

static void compose(struct request *request, const char *text)
{
    if (text != NULL)
        protocol_compose(request, text);
}

void schedule_open(int64_t opening_ns)
{
    opening = opening_ns;
    closing = opening + plan.duration_ns;
    arrival_numbers = (uint64_t)plan.seed;
    rare_numbers = ~(uint64_t)plan.seed; /* apart: they change no start */
    stratify_rare();
    compose(&say, plan.say);
    compose(&head, plan.head);
    compose(&rare, plan.rare);
    plan_next();
}

int64_t schedule_next(void)
{
    return next;
}

int64_t schedule_take(void)
{
    int64_t start = next;
    taken++;
    plan_next();
    return start;
}

bool schedule_is_open(int64_t now_ns)
{
    return now_ns < closing;
}

const struct request *schedule_request(int64_t i)
{
    bool is_rare = draw_is_rare(&rare_numbers);
    if (i == 0 && plan.head != NULL)
        return &head;
    if (is_rare)
        return &rare;
    return plan.say != NULL ? &say : NULL;
}
