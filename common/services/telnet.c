/* Commands are taken out one byte at a time, as they may arrive in pieces. They
 * are those that a client sends of its own accord: on Ctrl-C, Ctrl-\\ and to
 * ask for an option. All else is left in, for it is text of some encoding. */

#include "telnet.h"

#include <string.h>
#include <sys/socket.h>

enum {
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

/* The command that ends an interrupt is sent as urgent data, which would be
 * taken out of its place in the stream. */
void telnet_attach(struct telnet *telnet, struct reader *in)
{
    const int on = 1;
    *telnet = (struct telnet){.client = in->client, .state = TEXT};
    in->filter = telnet_filter;
    in->filtering = telnet;
    setsockopt(in->client, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}
