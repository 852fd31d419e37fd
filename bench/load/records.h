/* Records: one for each attempt, with what became of it. */

#ifndef LOAD_RECORDS_H
#define LOAD_RECORDS_H

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>

/* What became of an attempt. */
enum outcome {
    OPEN, /* none yet */
    OK,   /* the right answer; hold, slow: stayed to the end */
    REFUSED,
    BUSY, /* the server said so */
    TIMEOUT,
    RESET,
    NONE,         /* closed by the server without one byte of a reply */
    SHORT,        /* closed by the server before the reply was complete */
    CLOSED,       /* hold, slow: by the server, before the stay was over */
    WRONG,        /* not the answer, or more than one */
    CLIENT_FAULT, /* our machine's limit, not the server's doing */
    FAILED,       /* anything else */
    CUT,          /* under way when a signal ended the run */
};

/* How far the attempt had come. WAIT ends with the first byte heard. */
enum phase { CONNECT, SEND, WAIT, RECEIVE, DONE };

/* Stamps are in nanoseconds on CLOCK_MONOTONIC, 0 where never reached, and
 * never decrease in the order of their fields. */
struct record {
    int64_t intended;   /* by the schedule: latency counts from here */
    int64_t started;    /* just before connect(); kept alive: before send() */
    int64_t connected;  /* the handshake was seen to be over, which is the
                           kernel's doing; kept alive: = started */
    int64_t sent;       /* send() had taken the whole request; nothing is read
                           before, so this never comes after first_byte */
    int64_t first_byte; /* of desk's greeting: a thread serves the client now;
                           where there is none, of the answer */
    int64_t done;       /* the whole answer had come and was judged ok, busy or
                           wrong; slow has no answer: the end of the stay */
    int64_t bytes;      /* received */
    int error;          /* errno, or 0 */
    uint32_t syn_retransmits;
    struct in6_addr source; /* the client's own address, IPv4 as mapped */
    uint16_t port;          /* the client's own */
    uint8_t outcome, phase;
};

/* Adds a record, which never moves. Exits if there is no memory. */
struct record *records_add(int64_t intended);

int64_t records_count(void);

/* The record number i. */
const struct record *records_get(int64_t i);

/* Names as the CSV has them; that of no error is empty. */
const char *records_outcome_name(const struct record *record);
const char *records_phase_name(const struct record *record);
const char *records_error_name(const struct record *record);

/* Takes the records of a CSV file in place of those that are there. Exits with
 * one clear line if the file is not as records_write() makes it. */
void records_read(const char *path);

/* The outcome of an attempt that failed with this errno. */
enum outcome records_outcome_of(int error);

/* Writes all as CSV, in the order in which they were added. Exits if that
 * cannot be done; and if stamps are out of order, which is a fault of this
 * program, says so and exits when all are written. */
void records_write(FILE *output);

#endif
