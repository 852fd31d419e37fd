/* Patience: the law that patience.h states, by a line that is played through.
 * Clients that never say anything come at one moment, and a newcomer last. */

#include "patience.h"

#include "check.h"
#include "wait.h"

#define LIMIT_NS (10 * NS_PER_S)

static int line, workers;

static double share(void)
{
    double all = workers + line;
    return workers / all * workers / all;
}

/* How long a newcomer waits whose arrival makes the line q long. Others come
 * meanwhile, so the line is as long for all. */
static int64_t wait_behind(int q)
{
    line = 0;
    patience_now(); /* nobody waited: what was remembered is forgotten */
    line = q;
    int64_t before = workers + q - 1; /* w of them are being served */
    return (int64_t)((double)before / workers * (double)patience_of(LIMIT_NS));
}

TEST(a_newcomer_waits_for_less_than_the_law_says)
{
    patience_share = share;
    for (workers = 1; workers <= 64; workers *= 2)
        for (int q = 1; q <= 1000; q++) {
            double law = (double)LIMIT_NS * workers / (workers + q);
            CHECK((double)wait_behind(q) < law);
        }
}

TEST(the_line_before_a_newcomer_takes_a_quarter_at_most)
{
    patience_share = share;
    workers = 16;
    for (int q = 1; q <= 1000; q++) {
        wait_behind(q);
        int64_t in_line = patience_of(LIMIT_NS) * (q - 1) / workers;
        CHECK(in_line <= LIMIT_NS / 4);
    }
    wait_behind(16);
    CHECK(patience_of(LIMIT_NS) == LIMIT_NS / 4);
}

TEST(no_share_is_less_than_the_floor)
{
    patience_share = share;
    wait_limits.min_patience_ns = 250 * NS_PER_MS;
    workers = 16;
    wait_behind(1000);
    CHECK(patience_of(LIMIT_NS) == 250 * NS_PER_MS);
    CHECK(patience_of(100 * NS_PER_MS) == 100 * NS_PER_MS);
    CHECK(patience_of(0) == 0); /* no limit */
}

TEST(a_share_is_remembered_until_the_line_is_empty)
{
    patience_share = share;
    workers = 16;
    wait_behind(48);
    line = 16;
    CHECK(patience_of(LIMIT_NS) == LIMIT_NS / 16);
    line = 0;
    CHECK(patience_of(LIMIT_NS) == LIMIT_NS);
}
