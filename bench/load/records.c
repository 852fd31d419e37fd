/* Records: kept in memory while the run lasts, written when it is over. */

#include "records.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORDS_IN_CHUNK = 1 << 16,
    MAX_CHUNKS = 1 << 12,
    V4_IN_MAPPED = 12, /* where an IPv4 address begins in a mapped one */
};

static const char *const outcome_names[] = {
    [OPEN] = "open",
    [OK] = "ok",
    [REFUSED] = "refused",
    [BUSY] = "busy",
    [TIMEOUT] = "timeout",
    [RESET] = "reset",
    [NONE] = "none",
    [SHORT] = "short",
    [CLOSED] = "closed",
    [WRONG] = "wrong",
    [CLIENT_FAULT] = "client-fault",
    [FAILED] = "failed",
    [CUT] = "cut",
};

static const char *const phase_names[] = {"connect", "send", "wait", "receive",
                                          "done"};

static const struct fault {
    const char *name;
    int number;
    enum outcome outcome;
} faults[] = {
    {"", 0, FAILED}, /* most attempts, and closed ones, have no error */
    {"ECONNREFUSED", ECONNREFUSED, REFUSED},
    {"ECONNRESET", ECONNRESET, RESET},
    {"EPIPE", EPIPE, RESET},
    {"ETIMEDOUT", ETIMEDOUT, TIMEOUT}, /* the kernel's, not ours */
    {"EADDRNOTAVAIL", EADDRNOTAVAIL, CLIENT_FAULT},
    {"EADDRINUSE", EADDRINUSE, CLIENT_FAULT},
    {"EMFILE", EMFILE, CLIENT_FAULT},
    {"ENFILE", ENFILE, CLIENT_FAULT},
    {"ENOBUFS", ENOBUFS, CLIENT_FAULT},
    {"ENOMEM", ENOMEM, CLIENT_FAULT},
    {"ENOSPC", ENOSPC, CLIENT_FAULT}, /* epoll: too many watches */
    {"EHOSTUNREACH", EHOSTUNREACH, FAILED},
    {"ENETUNREACH", ENETUNREACH, FAILED},
    {"EACCES", EACCES, FAILED},
    {"EPERM", EPERM, FAILED},
    {"other", -1, FAILED}, /* the end of the table */
};

static const char heading[] =
    "i,intended,started,connected,sent,first_byte,done,bytes,"
    "outcome,errno,phase,source,port,syn_retransmits\n";

static struct record *chunks[MAX_CHUNKS];
static int64_t count;

static struct record *find_record(int64_t i)
{
    return &chunks[i / RECORDS_IN_CHUNK][i % RECORDS_IN_CHUNK];
}

struct record *records_add(int64_t intended)
{
    int64_t chunk = count / RECORDS_IN_CHUNK;
    if (chunk == MAX_CHUNKS)
        errx(EXIT_FAILURE, "more than %" PRId64 " attempts", count);
    if (chunks[chunk] == NULL)
        chunks[chunk] = calloc(RECORDS_IN_CHUNK, sizeof(struct record));
    if (chunks[chunk] == NULL)
        err(EXIT_FAILURE, "no memory for %" PRId64 " records", count);
    struct record *record = find_record(count++);
    record->intended = intended;
    return record;
}

int64_t records_count(void)
{
    return count;
}

static const struct fault *find_fault(int error)
{
    const struct fault *fault = faults;
    while (fault->number != error && fault->number != -1)
        fault++;
    return fault;
}

enum outcome records_outcome_of(int error)
{
    return find_fault(error)->outcome;
}

const struct record *records_get(int64_t i)
{
    return find_record(i);
}

const char *records_outcome_name(const struct record *record)
{
    return outcome_names[record->outcome];
}

const char *records_phase_name(const struct record *record)
{
    return phase_names[record->phase];
}

const char *records_error_name(const struct record *record)
{
    return find_fault(record->error)->name;
}

static bool is_in_order(const struct record *r)
{
    const int64_t stamps[] = {r->intended, r->started,    r->connected,
                              r->sent,     r->first_byte, r->done};
    int64_t latest = 0;
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++) {
        if (stamps[i] != 0 && stamps[i] < latest)
            return false;
        latest = stamps[i] != 0 ? stamps[i] : latest;
    }
    return true;
}

static void write_record(FILE *output, int64_t i, const struct record *r)
{
    char source[INET6_ADDRSTRLEN];
    bool is_v4 = IN6_IS_ADDR_V4MAPPED(&r->source);
    inet_ntop(is_v4 ? AF_INET : AF_INET6,
              r->source.s6_addr + (is_v4 ? V4_IN_MAPPED : 0), source,
              sizeof source);
    fprintf(output,
            "%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
            ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%s,%s,%s,%d,%" PRIu32 "\n",
            i, r->intended, r->started, r->connected, r->sent, r->first_byte,
            r->done, r->bytes, records_outcome_name(r), records_error_name(r),
            records_phase_name(r), source, r->port, r->syn_retransmits);
}

void records_write(FILE *output)
{
    int64_t disorders = 0;
    fputs(heading, output);
    for (int64_t i = 0; i < count; i++) {
        write_record(output, i, find_record(i));
        disorders += !is_in_order(find_record(i));
    }
    if (fflush(output) != 0 || ferror(output))
        err(EXIT_FAILURE, "cannot write the records");
    if (disorders > 0)
        errx(EXIT_FAILURE, "%" PRId64 " records have stamps out of order",
             disorders);
}

/* ---- Reading ---- */

/* Takes the next of the words that commas part; NULL at the end. */
static char *next_word(char **rest)
{
    char *word = *rest, *comma = word != NULL ? strchr(word, ',') : NULL;
    *rest = comma != NULL ? comma + 1 : NULL;
    if (comma != NULL)
        *comma = '\0';
    return word;
}

/* Returns the number, and sets is_right to false if it is none. */
static int64_t read_number(char **rest, bool *is_right)
{
    char *word = next_word(rest), *end = word;
    int64_t number = word != NULL ? strtoll(word, &end, 10) : 0;
    *is_right &= word != NULL && end != word && (*end == '\0' || *end == '\n');
    return number;
}

static uint8_t read_name(char **rest, const char *const *names, size_t length,
                         bool *is_right)
{
    const char *word = next_word(rest);
    for (size_t i = 0; word != NULL && i < length; i++)
        if (strcmp(names[i], word) == 0)
            return (uint8_t)i;
    *is_right = false;
    return 0;
}

static int read_error(char **rest)
{
    const char *word = next_word(rest);
    const struct fault *fault = faults;
    while (word != NULL && fault->number != -1 &&
           strcmp(fault->name, word) != 0)
        fault++;
    return fault->number;
}

static void read_source(char **rest, struct record *r, bool *is_right)
{
    const char *word = next_word(rest);
    char text[INET6_ADDRSTRLEN + sizeof "::ffff:"];
    bool is_v4 = word != NULL && strchr(word, '.') != NULL;
    snprintf(text, sizeof text, "%s%s", is_v4 ? "::ffff:" : "",
             word != NULL ? word : "");
    *is_right &= inet_pton(AF_INET6, text, &r->source) == 1;
}

static bool read_record(char *line)
{
    bool is_right = true;
    read_number(&line, &is_right);
    struct record *r = records_add(read_number(&line, &is_right));
    int64_t *const stamps[] = {&r->started,    &r->connected, &r->sent,
                               &r->first_byte, &r->done,      &r->bytes};
    for (size_t i = 0; i < sizeof stamps / sizeof *stamps; i++)
        *stamps[i] = read_number(&line, &is_right);
    r->outcome =
        read_name(&line, outcome_names,
                  sizeof outcome_names / sizeof *outcome_names, &is_right);
    r->error = read_error(&line);
    r->phase = read_name(&line, phase_names,
                         sizeof phase_names / sizeof *phase_names, &is_right);
    read_source(&line, r, &is_right);
    r->port = (uint16_t)read_number(&line, &is_right);
    r->syn_retransmits = (uint32_t)read_number(&line, &is_right);
    return is_right && line == NULL;
}

void records_read(const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        err(EXIT_FAILURE, "cannot read %s", path);
    count = 0;
    if (fgets(line, sizeof line, file) == NULL || strcmp(line, heading) != 0)
        errx(EXIT_FAILURE, "%s: not records of load (its first line is not)",
             path);
    while (fgets(line, sizeof line, file) != NULL)
        if (!read_record(line))
            errx(EXIT_FAILURE, "%s: record %" PRId64 " cannot be understood",
                 path, count - 1);
    if (ferror(file))
        err(EXIT_FAILURE, "cannot read %s", path);
    fclose(file);
}
