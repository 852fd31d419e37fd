/* The plan of a run, as the command line has it. */

#ifndef LOAD_PLAN_H
#define LOAD_PLAN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct mode {
    const char *name;
    int rate;        /* starts per second; 0: all clients at one instant */
    bool is_counted; /* ends after --clients starts, not after --duration */
    bool repeats;    /* a client that is free asks again */
    bool stays;      /* clients stay until --duration after the last came */
};

enum manner { POLITE, SILENT, DRIBBLING, DEAF };

struct plan {
    const struct mode *mode;
    struct sockaddr_in target;
    const char *host, *say, *head, *rare; /* NULL: nothing is said */
    const char *output;                   /* NULL: standard output */
    int port, clients, requests, rate, rare_per_mille, rare_count, seed,
        sources;
    int64_t timeout_ns, duration_ns, think_ns, gap_ns;
    bool is_http, is_poisson;
    enum manner manner;
};

/* Settled before the first client; from then on only read. */
extern struct plan plan;

/* Reads the command line. Exits, with one clear line, on what cannot be used or
 * a host that cannot be found. */
void plan_read(int argc, char *argv[]);

#endif
