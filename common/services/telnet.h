/* The commands that telnet mixes into what its user types (RFC 854). After
 * Ctrl-C it shows nothing more until one of them is answered (RFC 860). */

#ifndef TELNET_H
#define TELNET_H

#include <stddef.h>

#include "reader.h"

struct telnet {
    int client;
    enum {
        TEXT,
        COMMAND,
        OPTION,
        SUBNEGOTIATION,
        SUBNEGOTIATION_COMMAND
    } state;
    unsigned char verb; /* of the option that comes next */
};

/* From now on the reader's input has no commands in it: options are refused,
 * everything else is skipped. telnet lives as long as the reader. */
void telnet_attach(struct telnet *telnet, struct reader *in);

/* Takes the commands out of size bytes that have arrived, which may begin and
 * end within one. Returns how many bytes are left: perhaps two more, for which
 * there must be room. */
size_t telnet_filter(void *telnet, char *bytes, size_t size);

/* For a service to which all bytes matter: answers what telnet sends on Ctrl-C
 * and takes it out of the line, and nothing else. Returns the length left. */
size_t telnet_skip_interrupts(int client, char *line, size_t length);

/* Urgent data, as telnet sends after Ctrl-C, stays in its place. */
void telnet_keep_urgent(int client);

#endif
