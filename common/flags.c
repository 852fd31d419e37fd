/* Command-line flags: one table serves parsing, checking and --help. */

#include "flags.h"

#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

enum { MAX_FLAGS = 64 };

#define MAX_DURATION_NS (INT64_C(86400) * NS_PER_S)
#define MAX_RATE INT64_C(1000000000)

/* Reads decimal digits, nothing else, into value; returns what follows them, or
 * NULL if there are none or the number is too large for any flag. */
static const char *read_digits(const char *text, int64_t *value)
{
    if (*text < '0' || *text > '9')
        return NULL;
    *value = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        *value = *value * 10 + (*text - '0');
        if (*value > MAX_DURATION_NS)
            return NULL;
    }
    return text;
}

static bool parse_number(const struct flag *flag, const char *text)
{
    int64_t value;
    const char *end = read_digits(text, &value);
    if (end == NULL || *end != '\0' || value < flag->min || value > flag->max)
        return false;
    *flag->number = (int)value;
    return true;
}

static bool parse_duration(const struct flag *flag, const char *text)
{
    int64_t value;
    const char *unit = read_digits(text, &value);
    if (unit == NULL)
        return false;
    int64_t unit_ns = strcmp(unit, "ms") == 0  ? NS_PER_MS
                      : strcmp(unit, "s") == 0 ? NS_PER_S
                                               : 0;
    if (unit_ns == 0 || value == 0 || value > MAX_DURATION_NS / unit_ns)
        return false;
    *flag->duration_ns = value * unit_ns;
    return true;
}

/* Bytes per second, also in thousands and millions. */
static bool parse_rate(const struct flag *flag, const char *text)
{
    int64_t value;
    const char *unit = read_digits(text, &value);
    if (unit == NULL)
        return false;
    int64_t factor = strcmp(unit, "k") == 0   ? 1000
                     : strcmp(unit, "M") == 0 ? 1000000
                     : *unit == '\0'          ? 1
                                              : 0;
    if (factor == 0 || value == 0 || value > MAX_RATE / factor)
        return false;
    *flag->rate = value * factor;
    return true;
}

/* Is text one of the words in choices, which are parted by bars? */
static bool is_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    for (const char *word = choices; word != NULL; word = strchr(word, '|')) {
        word += *word == '|';
        if (strcspn(word, "|") == length && strncmp(word, text, length) == 0)
            return true;
    }
    return false;
}

static void set_flag(const struct flag *flag, const char *text)
{
    if (flag->number != NULL && !parse_number(flag, text))
        errx(EXIT_USAGE, "--%s=%s: not a whole number from %d to %d",
             flag->name, text, flag->min, flag->max);
    if (flag->duration_ns != NULL && !parse_duration(flag, text))
        errx(EXIT_USAGE,
             "--%s=%s: not a duration such as 500ms or 5s (1ms to 86400s)",
             flag->name, text);
    if (flag->rate != NULL && !parse_rate(flag, text))
        errx(EXIT_USAGE,
             "--%s=%s: not bytes per second such as 500, 64k or 10M (1 to "
             "1000M)",
             flag->name, text);
    if (flag->text != NULL && flag->choices != NULL &&
        !is_choice(flag->choices, text))
        errx(EXIT_USAGE, "--%s=%s: not one of %s", flag->name, text,
             flag->choices);
    if (flag->text != NULL && *text == '\0')
        errx(EXIT_USAGE, "--%s=: needs a value that is not empty", flag->name);
    if (flag->text != NULL)
        *flag->text = text;
}

static void print_default(const struct flag *flag)
{
    if (flag->number != NULL)
        printf("=%d", *flag->number);
    else if (flag->duration_ns != NULL && *flag->duration_ns % NS_PER_S == 0)
        printf("=%ds", (int)(*flag->duration_ns / NS_PER_S));
    else if (flag->duration_ns != NULL)
        printf("=%dms", (int)(*flag->duration_ns / NS_PER_MS));
    else if (flag->rate != NULL && *flag->rate % 1000 == 0)
        printf("=%dk", (int)(*flag->rate / 1000));
    else if (flag->rate != NULL)
        printf("=%d", (int)*flag->rate);
    else
        printf("=%s", *flag->text != NULL ? *flag->text : "...");
}

static void print_help(const char *program, const struct flag *flags,
                       const char *operands, const char *about)
{
    printf("usage: %s [flags] %s\n", program, operands);
    for (const struct flag *flag = flags; flag->name != NULL; flag++) {
        printf("  --%s", flag->name);
        print_default(flag);
        printf("\n        %s", flag->help);
        if (flag->choices != NULL)
            printf(" (%s)", flag->choices);
        printf("\n");
    }
    printf("  --help\n        print this and exit\n%s", about);
    if (fflush(stdout) != 0)
        err(EXIT_FAILURE, "cannot write to standard output");
    exit(EXIT_SUCCESS);
}

/* The flag that argument names, up to its "=" or its end. */
static const struct flag *find_flag(const struct flag *flags,
                                    const char *argument)
{
    const char *name = argument + strlen("--");
    size_t length = strcspn(name, "=");
    for (const struct flag *flag = flags; flag->name != NULL; flag++)
        if (strlen(flag->name) == length &&
            strncmp(flag->name, name, length) == 0)
            return flag;
    errx(EXIT_USAGE, "%s: unknown flag; --help lists those that exist",
         argument);
}

int flags_parse(int argc, char *argv[], const struct flag *flags,
                const char *operands, const char *about)
{
    bool was_given[MAX_FLAGS] = {false};
    int operand_count = 0;
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--help") == 0)
            print_help(argv[0], flags, operands, about);
        if (argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++operand_count] = argv[i];
            continue;
        }
        if (argv[i][1] != '-')
            errx(EXIT_USAGE,
                 "%s: flags begin with two dashes; --help lists them", argv[i]);
        const struct flag *flag = find_flag(flags, argv[i]);
        const char *value = strchr(argv[i], '=');
        if (value != NULL)
            value++;
        else if (++i < argc)
            value = argv[i];
        else
            errx(EXIT_USAGE, "--%s: needs a value, as in --%s=...", flag->name,
                 flag->name);
        if (was_given[flag - flags])
            errx(EXIT_USAGE, "--%s=%s: given twice; once is accepted",
                 flag->name, value);
        was_given[flag - flags] = true;
        set_flag(flag, value);
    }
    for (i++; i < argc; i++) /* what follows a lone -- */
        argv[++operand_count] = argv[i];
    argv[operand_count + 1] = NULL;
    return operand_count;
}
