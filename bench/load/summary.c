/* A summary: exact order statistics, computed when the run is over. */

#include "summary.h"

#include <err.h>
#include <stdbool.h>
#include <stdlib.h>

#include "clock.h"

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    if (memory == NULL)
        err(EXIT_FAILURE, "no memory for a summary");
    return memory;
}

static int compare_intended(const void *a, const void *b)
{
    int64_t x = (*(const struct record *const *)a)->intended;
    int64_t y = (*(const struct record *const *)b)->intended;
    return (x > y) - (x < y);
}

static int compare_times(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

const struct record **summary_sort(void)
{
    size_t count = (size_t)records_count();
    const struct record **sorted =
        allocate(count, sizeof(const struct record *));
    for (size_t i = 0; i < count; i++)
        sorted[i] = records_get((int64_t)i);
    qsort(sorted, count, sizeof(const struct record *), compare_intended);
    return sorted;
}

/* A percentile needs so many samples that one of them lies above it with 97.5 %
 * probability. The highest sample is what it is. */
static int64_t pick(const int64_t *sorted, size_t count, double share,
                    size_t fewest)
{
    double exact = share * (double)count;
    size_t rank = (size_t)exact + ((double)(size_t)exact < exact - 1e-9);
    return count < fewest ? TOO_FEW : sorted[rank > 0 ? rank - 1 : 0];
}

static struct quantiles find_quantiles(int64_t *times, size_t count)
{
    enum { FOR_P50 = 6, FOR_P90 = 36, FOR_P99 = 368 };
    qsort(times, count, sizeof *times, compare_times);
    return (struct quantiles){
        .p50 = pick(times, count, 0.5, FOR_P50),
        .p90 = pick(times, count, 0.9, FOR_P90),
        .p99 = pick(times, count, 0.99, FOR_P99),
        .max = count > 0 ? times[count - 1] : TOO_FEW,
    };
}

static int64_t latency_of(const struct record *r)
{
    return r->outcome == OK && r->done != 0 ? r->done - r->intended : NEVER;
}

static int64_t lateness_of(const struct record *r)
{
    return r->started > r->intended ? r->started - r->intended : 0;
}

static int64_t last_event(const struct record *r)
{
    const int64_t stamps[] = {r->started, r->connected, r->sent, r->first_byte,
                              r->done};
    int64_t last = 0;
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
        last = stamps[i] > last ? stamps[i] : last;
    return last;
}

static void count_failure(struct summary *summary, const struct record *r)
{
    int i = 0;
    for (; i < summary->kind_count; i++) {
        const struct record *example = summary->kinds[i].example;
        if (example->outcome == r->outcome && example->phase == r->phase &&
            example->error == r->error)
            break;
    }
    if (i == MAX_KINDS)
        i--; /* never seen: counted with the last kind */
    if (i == summary->kind_count) {
        summary->kinds[i].example = r;
        summary->kind_count++;
    }
    summary->kinds[i].count++;
}

static double rate_of(size_t count, int64_t span_ns)
{
    return span_ns > 0 && count > 1
               ? (double)(count - 1) * (double)NS_PER_S / (double)span_ns
               : 0;
}

/* Both ends of what happened, and of what was started. */
static void measure_spans(struct summary *summary,
                          const struct record *const *records, size_t count)
{
    int64_t first = NEVER, last_start = 0, end = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t started = records[i]->started, last = last_event(records[i]);
        first = started < first ? started : first;
        last_start = started > last_start ? started : last_start;
        end = last > end ? last : end;
    }
    if (count == 0)
        return;
    int64_t asked = records[count - 1]->intended - records[0]->intended;
    summary->span_ns = end - first;
    summary->asked_per_s = rate_of(count, asked);
    summary->started_per_s = rate_of(count, last_start - first);
}

struct summary summary_of(const struct record *const *records, size_t count)
{
    struct summary summary = {.attempts = (int64_t)count};
    int64_t *latencies = allocate(count, sizeof *latencies);
    int64_t *late = allocate(count, sizeof *late);

    for (size_t i = 0; i < count; i++) {
        bool is_ok = records[i]->outcome == OK;
        latencies[i] = latency_of(records[i]);
        late[i] = lateness_of(records[i]);
        summary.ok += is_ok;
        if (!is_ok)
            count_failure(&summary, records[i]);
    }
    summary.latency = find_quantiles(latencies, count);
    summary.lateness = find_quantiles(late, count);
    measure_spans(&summary, records, count);
    free(latencies);
    free(late);
    return summary;
}

size_t summary_count_before(const struct record *const *records, size_t count,
                            int64_t end_ns)
{
    size_t before = 0;
    while (before < count && records[before]->intended < end_ns)
        before++;
    return before;
}
