/* chat: a room. What one member says all members get, in one order.
 * A line that does not begin with a slash goes to everybody, with the speaker's
 * name in front of it; also to the speaker, which so knows that it was sent.
 * What the room itself tells begins with "-- ". */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clean.h"
#include "reader.h"
#include "refuse.h"
#include "roster.h"
#include "services/lines.h"
#include "services/services.h"
#include "services/telnet.h"
#include "text.h"

#define COMMANDS "/nick NAME, /who, /me WORDS, /quit"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

enum { MAX_SAYING = MAX_LINE + 128 };

/* A command, and the function that gets the words after it. */
struct command {
    const char *name;
    void (*do_it)(struct member *self, const char *words);
};

static void explain(struct member *self, const char *what, const char *words)
{
    char line[MAX_SAYING];
    snprintf(line, sizeof line, "error %s%s\n", what, words);
    roster_tell(self, line);
}

/* Letters of ASCII only, so that no two different names look alike. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length <= MAX_NAME && strspn(name, LETTERS) > 0 &&
           strspn(name, LETTERS "0123456789-_") == length;
}

static void do_nick(struct member *self, const char *name)
{
    if (!is_name(name))
        explain(self, "/nick takes a name: a letter, then letters, digits, - ",
                "or _, 20 at most");
    else if (strncasecmp(name, "guest", strlen("guest")) == 0)
        explain(self, "names that begin with guest are for newcomers", "");
    else if (!roster_rename(self, name))
        explain(self, "somebody here has that name: ", name);
}

static void do_who(struct member *self, const char *words)
{
    if (*words != '\0')
        explain(self, "/who takes no words", "");
    else
        roster_list(self);
}

static void do_me(struct member *self, const char *words)
{
    char line[MAX_SAYING];
    if (*words == '\0') {
        explain(self, "/me takes words, as in /me waves", "");
        return;
    }
    snprintf(line, sizeof line, "* %s %s\n", self->name, words);
    roster_say(line);
}

static const struct command commands[] = {
    {"/nick", do_nick},
    {"/who", do_who},
    {"/me", do_me},
};

static void do_command(struct member *self, const char *line)
{
    size_t length = strcspn(line, " ");
    const char *words = line + length + strspn(line + length, " ");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strlen(commands[i].name) == length &&
            strncmp(commands[i].name, line, length) == 0) {
            commands[i].do_it(self, words);
            return;
        }
    explain(self, "unknown command; there is " COMMANDS ": ", line);
}

static void say_words(const struct member *self, const char *words)
{
    char line[MAX_SAYING];
    snprintf(line, sizeof line, "%s: %s\n", self->name, words);
    roster_say(line);
}

/* Makes a clean string of the line, without its end and blanks before that. */
static void clean_line(char *line, size_t length)
{
    length = text_without_end((struct text){line, length}).length;
    length = chat_clean(line, length);
    while (length > 0 && line[length - 1] == ' ')
        length--;
    line[length] = '\0';
}

/* Takes lines until the member says good-bye or cannot go on. Returns 0 or -1
 * as reader_line does; a good-bye is returned in last_words. */
static ssize_t converse(struct member *self, struct reader *in,
                        const char **last_words)
{
    char *line;
    ssize_t result;
    for (result = lines_first(in, &line); result > 0;
         result = reader_line(in, MAX_LINE, &line)) {
        if (line[result - 1] != '\n')
            return 0; /* cut off: half a line is not said */
        clean_line(line, (size_t)result);
        if (strcmp(line, "/quit") == 0) {
            *last_words = "bye\n";
            return 0;
        }
        if (line[0] == '/')
            do_command(self, line);
        else if (line[0] != '\0')
            say_words(self, line);
        /* A member that floods the room reads its own lines first. */
        result = roster_catch_up(self);
        if (result <= 0)
            return result;
    }
    return result;
}

static enum outcome part(struct member *self, const struct reader *in,
                         ssize_t result, const char *last_words)
{
    int reason = result == -1 ? errno : 0;
    const char *why =
        reason == ETIMEDOUT ? "said nothing for long and is gone" : "has left";
    int failure = roster_leave(self, why, last_words);
    if (failure == 0 && last_words[0] == '\0') {
        errno = reason;
        return lines_farewell(in, result);
    }
    refuse_last_words(in->client, "", 0);
    if (failure == 0)
        return SERVED;
    return reason == ETIMEDOUT || failure == ETIMEDOUT ? TIMED_OUT : LOST;
}

static enum outcome talk(int client, long number)
{
    struct member self;
    struct reader in;
    struct telnet telnet;
    const char *last_words = "";

    if (lines_greet(client, number) == -1)
        return LOST;
    if (!roster_join(&self, client, number, COMMANDS)) {
        refuse_last_words(client, LINES_BUSY, LINES_LINGER_NS);
        return REFUSED;
    }
    reader_open(&in, client);
    telnet_attach(&telnet, &in);
    in.wait = roster_wait;
    in.waiter = &self;
    ssize_t result = converse(&self, &in, &last_words);
    return part(&self, &in, result, last_words);
}

const struct service chat_service = {
    .name = "chat",
    .help = "a room: what one says, all hear; commands are\n"
            "        " COMMANDS,
    .talk = talk,
    .more_descriptors = 2, /* the pipe that wakes its thread */
    .busy = LINES_BUSY,
};
