/* Fuzz target: any bytes as what a member of the room says. Whatever it is, the
 * others' terminals get lines of text: UTF-8 (RFC 3629), and no character that
 * moves a cursor. The roster is played by the target. */

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "chat/clean.h"
#include "chat/roster.h"
#include "services/lines.h"
#include "services/services.h"
#include "world.h"

#define GREETING "Hello, client 7.\n"
#define TAKEN_NAME "taken"

enum { MAX_SAID = 2 * MAX_LINE + 100, MAX_HEARD = MAX_LINE + 128 };

/* --- what text is -------------------------------------------------------- */

/* The grammar of RFC 3629, section 4: which second byte may follow which first
 * one, and how many bytes there are. Third and fourth bytes are all alike. */
static const struct {
    unsigned char first, last, least_second, most_second;
    size_t length;
} grammar[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
};

/* The length of the character that begins here; 0 if none does. */
static size_t character_length(const unsigned char *text, size_t left)
{
    size_t row = 0, rows = sizeof grammar / sizeof *grammar;
    while (row < rows && text[0] > grammar[row].last)
        row++;
    if (row == rows || text[0] < grammar[row].first ||
        left < grammar[row].length)
        return 0;
    if (grammar[row].length > 1 && (text[1] < grammar[row].least_second ||
                                    text[1] > grammar[row].most_second))
        return 0;
    for (size_t i = 2; i < grammar[row].length; i++)
        if (text[i] < 0x80 || text[i] > 0xBF)
            return 0;
    return grammar[row].length;
}

/* The character of two bytes or more that stands here. */
static uint32_t decode(const unsigned char *text, size_t length)
{
    uint32_t point = text[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        point = point << 6 | (text[i] & 0x3Fu);
    return point;
}

/* Invisible, or changing the direction of others. Numbers, not strings: a
 * sanitizer looks at each call of strlen and memcmp, 100 times slower. */
static bool is_deceptive(const unsigned char *text, size_t length)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
        {0x115F, 0x1160},   {0x17B4, 0x17B5},   {0x180B, 0x180F},
        {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},
        {0x3164, 0x3164},   {0xFE00, 0xFE0D},   {0xFEFF, 0xFEFF},
        {0xFFA0, 0xFFA0},   {0xFFF9, 0xFFFB},   {0x1BCA0, 0x1BCA3},
        {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF},
    };
    if (length == 1)
        return false;
    uint32_t point = decode(text, length);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (point >= ranges[i].first && point <= ranges[i].last)
            return true;
    return false;
}

static bool is_control(const unsigned char *text, size_t length)
{
    return is_deceptive(text, length) ||
           (length == 1 && (text[0] < ' ' || text[0] == 0x7F)) ||
           (length == 2 && text[0] == 0xC2 && text[1] < 0xA0);
}

/* What the cleaned text must be, one character after the other. */
static size_t clean_by_grammar(unsigned char *clean, const unsigned char *text,
                               size_t length)
{
    size_t cleaned = 0;
    for (size_t i = 0, size; i < length; i += size) {
        size = character_length(text + i, length - i);
        bool is_shown = size > 0 && !is_control(text + i, size);
        if (is_shown)
            memcpy(clean + cleaned, text + i, size);
        else
            clean[cleaned] = text[i] == '\t' ? ' ' : '?';
        cleaned += is_shown ? size : 1;
        size += size == 0;
    }
    return cleaned;
}

static void check_clean(const unsigned char *data, size_t size)
{
    static unsigned char expected[MAX_SAID];
    char *text = malloc(size + 1); /* just that size: for the sanitizer */
    PROPERTY(text != NULL);
    memcpy(text, data, size);
    size_t cleaned = chat_clean(text, size);
    PROPERTY(cleaned == clean_by_grammar(expected, data, size));
    PROPERTY(memcmp(text, expected, cleaned) == 0);
    PROPERTY(chat_clean(text, cleaned) == cleaned);
    PROPERTY(memcmp(text, expected, cleaned) == 0);
    free(text);
}

/* One line, of text only. */
static void check_heard(const char *line)
{
    const unsigned char *text = (const unsigned char *)line;
    size_t length = strlen(line), size;
    PROPERTY(length > 0 && length <= MAX_HEARD);
    PROPERTY(line[--length] == '\n');
    bool is_text = true;
    for (size_t i = 0; i < length && is_text; i += size) {
        size = character_length(text + i, length - i);
        is_text = size > 0 && !is_control(text + i, size);
    }
    PROPERTY(is_text);
}

/* --- chat_roster.h ------------------------------------------------------- */

static int answers; /* lines that were answered, with at least one line each */
static bool has_answered;
static char speaker[MAX_NAME + 1];

bool roster_join(struct member *self, int client, long number,
                 const char *advice)
{
    *self = (struct member){.out.client = client, .name = "guest7"};
    PROPERTY(number == 7 && strlen(advice) > 0);
    strcpy(speaker, self->name);
    answers = 0;
    has_answered = false;
    return true;
}

int roster_leave(struct member *self, const char *why, const char *last_words)
{
    (void)self;
    PROPERTY(strcmp(why, "has left") == 0);
    has_answered = *last_words != '\0';
    answers += has_answered;
    return 0;
}

void roster_tell(struct member *self, const char *line)
{
    (void)self;
    check_heard(line);
    PROPERTY(strncmp(line, "error ", strlen("error ")) == 0);
    has_answered = true;
}

/* Behind its speaker's name: nobody speaks for another, or for the room. */
void roster_say(const char *line)
{
    check_heard(line);
    const char *name = line + (strncmp(line, "* ", 2) == 0 ? 2 : 0);
    PROPERTY(strncmp(name, speaker, strlen(speaker)) == 0);
    name += strlen(speaker);
    PROPERTY(*line == '*' ? *name == ' ' : strncmp(name, ": ", 2) == 0);
    has_answered = true;
}

void roster_list(struct member *self)
{
    (void)self;
    has_answered = true;
}

bool roster_rename(struct member *self, const char *name)
{
    size_t length = strlen(name);
    PROPERTY(length >= 1 && length <= MAX_NAME);
    for (size_t i = 0; i < length; i++) {
        bool is_letter = (name[i] >= 'a' && name[i] <= 'z') ||
                         (name[i] >= 'A' && name[i] <= 'Z');
        bool may_follow = (name[i] >= '0' && name[i] <= '9') ||
                          name[i] == '-' || name[i] == '_';
        PROPERTY(is_letter || (i > 0 && may_follow));
    }
    PROPERTY(strncasecmp(name, "guest", strlen("guest")) != 0);
    if (strcasecmp(name, TAKEN_NAME) == 0)
        return false;
    memcpy(self->name, name, length + 1);
    memcpy(speaker, name, length + 1);
    has_answered = true;
    return true;
}

/* Called once for each line. */
int roster_catch_up(struct member *self)
{
    (void)self;
    answers += has_answered;
    has_answered = false;
    return 1;
}

int roster_wait(void *self, int64_t deadline)
{
    const struct member *member = self;
    return wait_for(member->out.client, 0, deadline, false) == READY;
}

/* --- a conversation ------------------------------------------------------ */

/* How many of these lines say something: blanks say nothing, a tab is one, and
 * the CR before LF is part of the line's end. */
static int count_sayings(const char *data, size_t size)
{
    int count = 0;
    const char *lf;
    for (; (lf = memchr(data, '\n', size)) != NULL; data = lf + 1) {
        size_t length = (size_t)(lf - data);
        size -= length + 1;
        length -= length > 0 && data[length - 1] == '\r';
        if (length > MAX_LINE)
            return count;
        while (length > 0 &&
               (data[length - 1] == ' ' || data[length - 1] == '\t'))
            length--;
        count += length > 0;
        if (length == 5 && memcmp(data, "/quit", 5) == 0)
            return count;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    if (size == 0 || size > MAX_SAID)
        return 0;
    check_clean(data, size);
    if (memchr(data + 1, 0xFF, size - 1) != NULL)
        return 0; /* perhaps a command of telnet, which has its own target */
    int client = world_open(data, size);
    enum outcome outcome = chat_service.talk(client, 7);
    PROPERTY(outcome == SERVED);
    PROPERTY(memcmp(world.written, GREETING, strlen(GREETING)) == 0);
    PROPERTY(answers == count_sayings((const char *)data + 1, size - 1));
    return 0;
}
