/* Commands are taken out one byte at a time, as they may arrive in pieces. They
 * are those that a client sends of its own accord: on Ctrl-C, Ctrl-\\ and to
 * ask for an option. All else is left in, for it is text of some encoding. */

#include "telnet.h"

#include <string.h>
#include <sys/socket.h>

enum {
    TM = 6,   /* timing mark, an option: answers tell what came before it */
    DM = 242, /* data mark: what came before it is void */
    BRK = 243,
    IP = 244, /* interrupt process: Ctrl-C */
    WILL = 251,
    WONT = 252,
    DO = 253,
    DONT = 254,
    IAC = 255,        /* begins every command */
    MAX_OPTIONS = 64, /* of which 50 have a meaning */
};

/* Refuses the option. An answer that the socket does not take now is lost, as
 * nobody should wait for it. */
static void refuse_option(const struct telnet *telnet, unsigned char option)
{
    unsigned char answer = telnet->verb == DO ? WONT : DONT;
    const unsigned char command[] = {IAC, answer, option};
    (void)send(telnet->client, command, sizeof command, MSG_DONTWAIT);
}

/* Takes the next byte. Returns how many bytes of text it makes: those that were
 * held back may turn out to be text. */
static int take(struct telnet *telnet, unsigned char c)
{
    switch (telnet->state) {
    case COMMAND:
        telnet->verb = c;
        telnet->state = c == DO || c == WILL ? OPTION : TEXT;
        return telnet->state == OPTION || (c >= DM && c <= IP) ? 0 : 2;
    case OPTION:
        telnet->state = TEXT;
        if (c >= MAX_OPTIONS)
            return 3;
        refuse_option(telnet, c);
        return 0;
    default:
        telnet->state = c == IAC ? COMMAND : TEXT;
        return c == IAC ? 0 : 1;
    }
}

size_t telnet_filter(void *self, char *bytes, size_t size)
{
    struct telnet *telnet = self;
    size_t left = 0, held = (size_t)telnet->state; /* from the last piece */
    memmove(bytes + held, bytes, size);
    for (size_t i = held; i < held + size; i++) {
        char c = bytes[i];
        int count = take(telnet, (unsigned char)c);
        if (count > 1)
            bytes[left++] = (char)IAC;
        if (count > 2)
            bytes[left++] = (char)telnet->verb;
        if (count > 0)
            bytes[left++] = c;
    }
    return left;
}

/* How many bytes of an interrupt are here; 0 if it is something else. The data
 * mark comes a little later than the rest. */
static size_t interrupt_at(const char *here, size_t size)
{
    static const unsigned char interrupt[] = {IAC, IP, IAC, DO, TM, IAC, DM};
    for (size_t length = sizeof interrupt; length >= 5; length -= 2)
        if (size >= length && memcmp(here, interrupt, length) == 0)
            return length;
    return 0;
}

size_t telnet_skip_interrupts(int client, char *line, size_t length)
{
    const struct telnet telnet = {.client = client, .verb = DO};
    const char *end = line + length, *from = memchr(line, IAC, length);
    if (from == NULL)
        return length;
    char *to = line + (from - line);
    while (from < end) {
        size_t skipped = interrupt_at(from, (size_t)(end - from));
        if (skipped > 0)
            refuse_option(&telnet, TM);
        else
            *to++ = *from++;
        from += skipped;
    }
    return (size_t)(to - line);
}

void telnet_keep_urgent(int client)
{
    const int on = 1;
    setsockopt(client, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

void telnet_attach(struct telnet *telnet, struct reader *in)
{
    *telnet = (struct telnet){.client = in->client, .state = TEXT};
    in->filter = telnet_filter;
    in->filtering = telnet;
    telnet_keep_urgent(in->client);
}
