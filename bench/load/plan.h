/* The plan of a run, as the command line has it. */

#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

enum { MAX_SOURCES = 250 };

struct mode {
    const char *name;
    int rate;        /* starts per second; 0: all clients at one instant */
    bool is_counted; /* ends after --clients starts, not after --duration */
    bool repeats;    /* a client that has its answer asks again */
    bool summarises; /* reads records, and sends nothing */
    bool stays;      /* clients stay until --duration after the last came */
};

/* How a client behaves once it is connected. */
enum behaviour { ORDINARY, SILENT, DRIBBLES, NOT_READING };

struct plan {
    const struct mode *mode;
    const char *host, *say, *head, *rare; /* NULL: nothing is said */
    const char *output;                   /* NULL: standard output */
    char **files;                         /* summary: up to a NULL */
    int port, clients, requests, rate, rare_per_mille, rare_count, seed;
    int sources; /* 0 until addresses_find() */
    int64_t timeout_ns, duration_ns, think_ns, gap_ns;
    int64_t series_ns; /* 0: none */
    bool is_http, is_poisson, is_json;
    enum behaviour behaviour;
};

/* Complete before the first client; from then on only read. */
extern struct plan plan;

/* Reads the command line. Exits with one clear line on what it cannot use. */
void plan_read(int argc, char *argv[]);

#endif
