/* Records: kept in memory while the run lasts, written when it is over. */

#include "records.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    RECORDS_IN_CHUNK = 1 << 16,
    MAX_CHUNKS = 1 << 12,
    V4_IN_MAPPED = 12, /* where an IPv4 address begins in a mapped one */
};

static const char *const outcome_names[] = {
    [OPEN] = "open",     [OK] = "ok",           [REFUSED] = "refused",
    [BUSY] = "busy",     [TIMEOUT] = "timeout", [RESET] = "reset",
    [CLOSED] = "closed", [WRONG] = "wrong",     [CLIENT_FAULT] = "client-fault",
    [FAILED] = "failed", [CUT] = "cut",
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
            r->done, r->bytes, outcome_names[r->outcome],
            find_fault(r->error)->name, phase_names[r->phase], source, r->port,
            r->syn_retransmits);
}

void records_write(FILE *output)
{
    int64_t disorders = 0;
    fprintf(output, "i,intended,started,connected,sent,first_byte,done,bytes,"
                    "outcome,errno,phase,source,port,syn_retransmits\n");
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
