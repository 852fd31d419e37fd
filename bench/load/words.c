/* Words: what a run has come to, in a few lines or in one JSON object. */

#include "words.h"

#include <err.h>
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "records.h"
#include "summary.h"

enum { TIME_LENGTH = 32 };

#define BEHIND 0.98 /* of the starts of a schedule: with fewer, it is late */

/* ---- For a person ---- */

static const char *time_words(int64_t ns, char text[TIME_LENGTH])
{
    if (ns == TOO_FEW)
        snprintf(text, TIME_LENGTH, "n/a");
    else if (ns == NEVER)
        snprintf(text, TIME_LENGTH, "never");
    else if (ns < NS_PER_MS)
        snprintf(text, TIME_LENGTH, "%.0f us", (double)ns / 1e3);
    else if (ns < NS_PER_S)
        snprintf(text, TIME_LENGTH, "%.1f ms", (double)ns / 1e6);
    else
        snprintf(text, TIME_LENGTH, "%.2f s", (double)ns / 1e9);
    return text;
}

/* 14887 becomes 14,887. */
static const char *count_words(int64_t count, char text[TIME_LENGTH])
{
    char digits[TIME_LENGTH];
    int length = snprintf(digits, sizeof digits, "%" PRId64, count), at = 0;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
    return text;
}

static void say_quantiles(FILE *output, const char *what,
                          const struct quantiles *q)
{
    char p50[TIME_LENGTH], p90[TIME_LENGTH], p99[TIME_LENGTH], max[TIME_LENGTH];
    fprintf(output, "%s p50 %s, p90 %s, p99 %s, max %s", what,
            time_words(q->p50, p50), time_words(q->p90, p90),
            time_words(q->p99, p99), time_words(q->max, max));
}

static void say_failures(FILE *output, const struct summary *summary)
{
    char text[TIME_LENGTH];
    int64_t failed = summary->attempts - summary->ok;
    if (failed == 0)
        return;
    fprintf(output, "failed %s:", count_words(failed, text));
    for (int i = 0; i < summary->kind_count; i++) {
        const struct kind *kind = &summary->kinds[i];
        const char *error = records_error_name(kind->example);
        fprintf(output, "%s %s %s in %s%s%s%s", i > 0 ? "," : "",
                count_words(kind->count, text),
                records_outcome_name(kind->example),
                records_phase_name(kind->example), *error != '\0' ? " (" : "",
                error, *error != '\0' ? ")" : "");
    }
    fprintf(output, "\n");
}

static void say_rates(FILE *output, const struct summary *summary,
                      bool is_closed_loop)
{
    char asked[TIME_LENGTH], started[TIME_LENGTH];
    say_quantiles(output, "starts late by", &summary->lateness);
    if (!is_closed_loop && summary->started_per_s > 0 &&
        summary->started_per_s < BEHIND * summary->asked_per_s)
        fprintf(output, "; asked %s/s, could start %s/s",
                count_words((int64_t)summary->asked_per_s, asked),
                count_words((int64_t)summary->started_per_s, started));
    fprintf(output, "\n");
    if (is_closed_loop)
        fprintf(output, "a closed loop hides stalls: while the server does not "
                        "answer, nobody asks\n");
}

static void say(FILE *output, const struct words *words,
                const struct summary *summary)
{
    char asked[TIME_LENGTH], answered[TIME_LENGTH], rate[TIME_LENGTH],
        span[TIME_LENGTH];
    double seconds = (double)summary->span_ns / (double)NS_PER_S;
    int64_t per_s = seconds > 0 ? (int64_t)((double)summary->ok / seconds) : 0;
    if (words->title != NULL)
        fprintf(output, "%s: ", words->title);
    fprintf(output, "asked %s, answered %s in %s (%s/s)\n",
            count_words(summary->attempts, asked),
            count_words(summary->ok, answered),
            time_words(summary->span_ns, span), count_words(per_s, rate));
    say_failures(output, summary);
    say_quantiles(output, "from the intended start", &summary->latency);
    fprintf(output, "\n");
    say_rates(output, summary, words->is_closed_loop);
}

static void say_interval(FILE *output, double from_s,
                         const struct summary *summary)
{
    char p50[TIME_LENGTH], max[TIME_LENGTH];
    fprintf(output,
            "%8.1f s: asked %6" PRId64 ", answered %6" PRId64
            ", p50 %8s, max %8s\n",
            from_s, summary->attempts, summary->ok,
            time_words(summary->latency.p50, p50),
            time_words(summary->latency.max, max));
}

/* ---- As JSON ---- */

/* Milliseconds; null for too few samples, a word where JSON has no number. */
static void put_time(FILE *output, const char *name, int64_t ns)
{
    if (ns == TOO_FEW)
        fprintf(output, "\"%s\":null", name);
    else if (ns == NEVER)
        fprintf(output, "\"%s\":\"never\"", name);
    else
        fprintf(output, "\"%s\":%.6f", name, (double)ns / 1e6);
}

static void put_quantiles(FILE *output, const char *name,
                          const struct quantiles *q)
{
    fprintf(output, "\"%s\":{", name);
    put_time(output, "p50", q->p50);
    fprintf(output, ",");
    put_time(output, "p90", q->p90);
    fprintf(output, ",");
    put_time(output, "p99", q->p99);
    fprintf(output, ",");
    put_time(output, "max", q->max);
    fprintf(output, "}");
}

static void put_text(FILE *output, const char *text)
{
    fputc('"', output);
    for (const unsigned char *c = (const unsigned char *)text; *c != 0; c++)
        if (*c == '"' || *c == '\\')
            fprintf(output, "\\%c", *c);
        else if (*c < ' ')
            fprintf(output, "\\u%04x", *c);
        else
            fputc(*c, output);
    fputc('"', output);
}

static void put_failures(FILE *output, const struct summary *summary)
{
    fprintf(output, "\"failures\":[");
    for (int i = 0; i < summary->kind_count; i++) {
        const struct record *example = summary->kinds[i].example;
        fprintf(output,
                "%s{\"outcome\":\"%s\",\"phase\":\"%s\",\"errno\":\"%s\","
                "\"count\":%" PRId64 "}",
                i > 0 ? "," : "", records_outcome_name(example),
                records_phase_name(example), records_error_name(example),
                summary->kinds[i].count);
    }
    fprintf(output, "]");
}

static void put_summary(FILE *output, const struct summary *summary)
{
    fprintf(output,
            "\"attempts\":%" PRId64 ",\"ok\":%" PRId64 ",\"seconds\":%.6f,"
            "\"asked_per_s\":%.3f,\"started_per_s\":%.3f,",
            summary->attempts, summary->ok,
            (double)summary->span_ns / (double)NS_PER_S, summary->asked_per_s,
            summary->started_per_s);
    put_failures(output, summary);
    fprintf(output, ",");
    put_quantiles(output, "latency_ms", &summary->latency);
    fprintf(output, ",");
    put_quantiles(output, "late_ms", &summary->lateness);
}

/* ---- Both ---- */

static void write_series(FILE *output, const struct words *words,
                         const struct record *const *records, size_t count)
{
    int64_t begin = count > 0 ? records[0]->intended : 0;
    for (int64_t i = 0; count > 0; i++) {
        int64_t end = begin + (i + 1) * words->series_ns;
        size_t those = summary_count_before(records, count, end);
        struct summary summary = summary_of(records, those);
        double from_s = (double)(i * words->series_ns) / (double)NS_PER_S;
        if (words->is_json) {
            fprintf(output, "%s{\"from_s\":%.3f,", i > 0 ? "," : "", from_s);
            put_summary(output, &summary);
            fprintf(output, "}");
        } else {
            say_interval(output, from_s, &summary);
        }
        records += those;
        count -= those;
    }
}

static void write_json(FILE *output, const struct words *words,
                       const struct summary *summary,
                       const struct record *const *records)
{
    fprintf(output, "{");
    if (words->title != NULL) {
        fprintf(output, "\"file\":");
        put_text(output, words->title);
        fprintf(output, ",");
    } else {
        fprintf(output, "\"is_closed_loop\":%s,",
                words->is_closed_loop ? "true" : "false");
    }
    put_summary(output, summary);
    if (words->series_ns > 0) {
        fprintf(output, ",\"series\":[");
        write_series(output, words, records, (size_t)summary->attempts);
        fprintf(output, "]");
    }
    fprintf(output, "}\n");
}

void words_write(FILE *output, const struct words *words)
{
    const struct record **records = summary_sort();
    struct summary summary = summary_of(records, (size_t)records_count());
    if (words->is_json) {
        write_json(output, words, &summary, records);
    } else {
        say(output, words, &summary);
        if (words->series_ns > 0)
            write_series(output, words, records, (size_t)summary.attempts);
    }
    free(records);
    if (fflush(output) != 0 || ferror(output))
        err(EXIT_FAILURE, "cannot write the summary");
}
