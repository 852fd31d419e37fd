/* A summary of records: how many, how fast, how late, and what failed. */

#ifndef LOAD_SUMMARY_H
#define LOAD_SUMMARY_H

#include <stddef.h>
#include <stdint.h>

#include "records.h"

enum { MAX_KINDS = 64, TOO_FEW = -1 }; /* TOO_FEW samples for that percentile */

/* Order statistics in nanoseconds, TOO_FEW, or NEVER where failures begin. */
struct quantiles {
    int64_t p50, p90, p99, max;
};

struct summary {
    int64_t attempts, ok;
    struct kind { /* of failure */
        const struct record *example;
        int64_t count;
    } kinds[MAX_KINDS]; /* those with one outcome, phase and errno */
    int kind_count;

    struct quantiles latency;  /* from the intended start; a failure is NEVER */
    struct quantiles lateness; /* of starts */
    int64_t span_ns;           /* from the first start to the last event */
    double asked_per_s;        /* starts by the schedule; 0 if at one instant */
    double started_per_s;      /* and as they were made */
};

/* All records in the order of their intended starts. The caller frees the
 * array. Exits if there is no memory. */
const struct record **summary_sort(void);

/* Sums up so many of them. */
struct summary summary_of(const struct record *const *records, size_t count);

/* How many of the records are intended before the moment end_ns. */
size_t summary_count_before(const struct record *const *records, size_t count,
                            int64_t end_ns);

#endif
