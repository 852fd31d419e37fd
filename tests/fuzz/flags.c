/* Fuzz target: any words as a command line, parted by line ends. What is taken
 * is within bounds and is what was written; what is not is named. */

#include "flags.h"

#include <ctype.h>
#include <err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "properties.h"

enum { MAX_INPUT = 1000, MAX_WORDS = 40 };

static const char *host, *mode;
static int port;
static int64_t timeout;
static const struct flag flags[] = {
    {"host", "a text", .text = &host},
    {"mode", "a choice", .text = &mode, .choices = "wait|refuse"},
    {"port", "a number", .number = &port, .min = 1, .max = 65535},
    {"timeout", "a duration", .duration_ns = &timeout},
    {0},
};

/* --- err.h: the way out -------------------------------------------------- */

static jmp_buf refused;
static char message[3 * MAX_INPUT];

void errx(int status, const char *format, ...)
{
    va_list values;
    PROPERTY(status == EXIT_USAGE);
    va_start(values, format);
    int length = vsnprintf(message, sizeof message, format, values);
    va_end(values);
    PROPERTY(length > 0 && (size_t)length < sizeof message);
    longjmp(refused, 1);
}

/* --- command lines ------------------------------------------------------- */

struct line {
    char bytes[MAX_INPUT + 1];
    char *words[MAX_WORDS + 2]; /* the program's name first, NULL last */
    int count;
};

/* Parts the bytes into words, which have no NUL in them. Returns whether they
 * are a command line that does not ask for help, which would exit. */
static bool read_line(struct line *line, const unsigned char *data, size_t size)
{
    static char program[] = "program";
    if (size > MAX_INPUT || memchr(data, '\0', size) != NULL)
        return false;
    memcpy(line->bytes, data, size);
    line->bytes[size] = '\0';
    line->words[0] = program;
    line->count = 1;
    char *next = line->bytes;
    while (next != NULL && line->count <= MAX_WORDS) {
        char *end = strchr(next, '\n');
        if (end != NULL)
            *end++ = '\0';
        if (strcmp(next, "--help") == 0)
            return false;
        line->words[line->count++] = next;
        next = end;
    }
    line->words[line->count] = NULL;
    return next == NULL;
}

/* The value of a flag that was taken, read from the words as they were: behind
 * the first word that names it, unless it is a value itself. */
static const char *value_of(const struct line *line, const char *name)
{
    size_t length = strlen(name);
    for (int i = 1; i < line->count && strcmp(line->words[i], "--") != 0; i++) {
        const char *word = line->words[i];
        if (strncmp(word, "--", 2) != 0)
            continue;
        bool has_value = strchr(word, '=') != NULL;
        const char *value =
            has_value ? strchr(word, '=') + 1 : line->words[++i];
        if (strncmp(word + 2, name, length) == 0 &&
            (word[2 + length] == '=' || word[2 + length] == '\0'))
            return value;
    }
    return NULL;
}

/* --- what was taken ------------------------------------------------------ */

static void check_number(const char *value)
{
    PROPERTY(port >= 1 && port <= 65535);
    PROPERTY(port == (value == NULL ? 9000 : strtol(value, NULL, 10)));
    for (; value != NULL && *value != '\0'; value++)
        PROPERTY(isdigit((unsigned char)*value));
}

static void check_duration(const char *value)
{
    char *unit;
    PROPERTY(timeout >= NS_PER_MS && timeout <= 86400 * NS_PER_S);
    if (value == NULL) {
        PROPERTY(timeout == 1500 * NS_PER_MS);
        return;
    }
    PROPERTY(isdigit((unsigned char)*value));
    int64_t number = strtoll(value, &unit, 10);
    PROPERTY(strcmp(unit, "ms") == 0 || strcmp(unit, "s") == 0);
    PROPERTY(timeout == number * (*unit == 'm' ? NS_PER_MS : NS_PER_S));
}

static void check_texts(const char *host_value, const char *mode_value)
{
    PROPERTY(*host != '\0');
    PROPERTY(strcmp(host, host_value != NULL ? host_value : "here") == 0);
    PROPERTY(strcmp(mode, mode_value != NULL ? mode_value : "wait") == 0);
    PROPERTY(strcmp(mode, "wait") == 0 || strcmp(mode, "refuse") == 0);
}

/* The operands are words of the line, in their order; with the flags and their
 * values they are all of it. */
static void check_operands(const struct line *line, char *const operands[],
                           int count)
{
    int found = 0;
    for (int i = 1; i < line->count && found < count; i++)
        found += operands[found] == line->words[i];
    PROPERTY(found == count);
    PROPERTY(operands[count] == NULL);
}

/* --- what was not -------------------------------------------------------- */

/* The message begins with a word of the line, or with a flag and the word that
 * is its value. */
static void check_message(const struct line *line)
{
    bool is_named = false;
    for (int i = 1; i < line->count; i++) {
        const char *word = line->words[i], *named = message;
        size_t name = strcspn(message, "=") + 1;
        if (strncmp(message, "--", 2) == 0 && name < strlen(message) &&
            strncmp(message + name, word, strlen(word)) == 0)
            named += name;
        is_named |= strncmp(named, word, strlen(word)) == 0 &&
                    strncmp(named + strlen(word), ": ", 2) == 0;
    }
    PROPERTY(is_named);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
    static struct line line, parsed; /* static: they outlive the jump */
    if (!read_line(&line, data, size) || !read_line(&parsed, data, size))
        return 0;
    memcpy(parsed.words, line.words, sizeof line.words);
    host = "here", mode = "wait", port = 9000, timeout = 1500 * NS_PER_MS;
    if (setjmp(refused) != 0) {
        check_message(&line);
        return 0;
    }
    int count = flags_parse(line.count, parsed.words, flags, "[WHAT]", "");
    PROPERTY(count >= 0 && count < line.count);
    check_number(value_of(&line, "port"));
    check_duration(value_of(&line, "timeout"));
    check_texts(value_of(&line, "host"), value_of(&line, "mode"));
    check_operands(&line, parsed.words + 1, count);
    return 0;
}
