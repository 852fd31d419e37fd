/* Command-line flags. What ends the process runs in a child of its own. */

#include "flags.h"

#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

enum { MAX_WORDS = 10, MAX_OUTPUT = 2048 };

/* The words of a command line, and what they set. */
#define WORDS(...)                                                             \
    (char *[MAX_WORDS])                                                        \
    {                                                                          \
        "program", __VA_ARGS__, NULL                                           \
    }

static const char *host, *mode;
static int port;
static int64_t timeout;

static int parse(char *words[])
{
    int count = 0;
    while (words[count] != NULL)
        count++;
    host = "here", mode = "wait", port = 9000, timeout = 1500 * NS_PER_MS;
    const struct flag flags[] = {
        {"host", "a text", .text = &host},
        {"mode", "a choice", .text = &mode, .choices = "wait|refuse"},
        {"port", "a number", .number = &port, .min = 1, .max = 65535},
        {"timeout", "a duration", .duration_ns = &timeout},
        {0},
    };
    return flags_parse(count, words, flags, "[WHAT]", "More about it.\n");
}

/* Reads all that a child wrote. */
static void read_all(int fd, char text[MAX_OUTPUT])
{
    size_t length = 0;
    ssize_t size;
    while ((size = read(fd, text + length, MAX_OUTPUT - 1 - length)) > 0)
        length += (size_t)size;
    text[length] = '\0';
}

/* Parses in a child, which must exit; returns its status and what it wrote to
 * the descriptor. */
static int exit_status(char *words[], int fd, char text[MAX_OUTPUT])
{
    int pipe_ends[2], status;
    if (pipe(pipe_ends) == -1)
        abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], fd);
        close(pipe_ends[0]);
        parse(words);
        _exit(99); /* it was taken */
    }
    close(pipe_ends[1]);
    read_all(pipe_ends[0], text);
    close(pipe_ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* It must be refused with status 2, in one line that has these words in it. */
static void check_refused(char *words[], const char *named)
{
    char said[MAX_OUTPUT];
    CHECK_NUMBER(exit_status(words, STDERR_FILENO, said), 2);
    CHECK(strchr(said, '\n') == said + strlen(said) - 1);
    if (strstr(said, named) == NULL)
        CHECK_TEXT(said, named);
}

/* --- what is taken ------------------------------------------------------ */

TEST(defaults_stay_when_nothing_is_given)
{
    char *words[] = {"program", NULL};
    CHECK_NUMBER(parse(words), 0);
    CHECK_TEXT(host, "here");
    CHECK_TEXT(mode, "wait");
    CHECK_NUMBER(port, 9000);
    CHECK_NUMBER(timeout, 1500 * NS_PER_MS);
}

TEST(values_follow_an_equals_sign_or_a_space)
{
    CHECK_NUMBER(parse(WORDS("--host=there", "--port", "80", "--mode=refuse",
                             "--timeout", "5s")),
                 0);
    CHECK_TEXT(host, "there");
    CHECK_TEXT(mode, "refuse");
    CHECK_NUMBER(port, 80);
    CHECK_NUMBER(timeout, 5 * NS_PER_S);
}

TEST(a_value_may_look_like_anything)
{
    CHECK_NUMBER(parse(WORDS("--host=a=b")), 0);
    CHECK_TEXT(host, "a=b");
    CHECK_NUMBER(parse(WORDS("--host", "--port")), 0);
    CHECK_TEXT(host, "--port");
}

TEST(both_ends_of_a_range_are_accepted)
{
    parse(WORDS("--port=1"));
    CHECK_NUMBER(port, 1);
    parse(WORDS("--port=65535"));
    CHECK_NUMBER(port, 65535);
    parse(WORDS("--port=00080"));
    CHECK_NUMBER(port, 80);
}

TEST(durations_have_units)
{
    parse(WORDS("--timeout=1ms"));
    CHECK_NUMBER(timeout, NS_PER_MS);
    parse(WORDS("--timeout=86400s"));
    CHECK_NUMBER(timeout, 86400 * NS_PER_S);
    parse(WORDS("--timeout=86400000ms"));
    CHECK_NUMBER(timeout, 86400 * NS_PER_S);
}

TEST(operands_are_moved_to_the_front)
{
    char **words = WORDS("one", "--port=80", "two", "--host", "there", "-");
    CHECK_NUMBER(parse(words), 3);
    CHECK_TEXT(words[1], "one");
    CHECK_TEXT(words[2], "two");
    CHECK_TEXT(words[3], "-");
    CHECK(words[4] == NULL);
}

TEST(two_dashes_end_the_flags)
{
    char **words = WORDS("--port=80", "--", "--port=81", "--", "--help");
    CHECK_NUMBER(parse(words), 3);
    CHECK_NUMBER(port, 80);
    CHECK_TEXT(words[1], "--port=81");
    CHECK_TEXT(words[2], "--");
    CHECK_TEXT(words[3], "--help");
    CHECK(words[4] == NULL);
}

/* --- what is refused ---------------------------------------------------- */

TEST(bad_numbers_are_named_with_the_range)
{
    char *const bad[] = {"0",    "-1", "65536", "99999999999999999999",
                         "12x",  "",   " 1",    "1 ",
                         "0x10", "+1", "1e3",   "1.0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char named[MAX_OUTPUT];
        snprintf(named, sizeof named, "--port=%s: ", bad[i]);
        check_refused(WORDS("--port", bad[i]), named);
    }
    check_refused(WORDS("--port=0"), "1 to 65535");
}

TEST(bad_durations_are_named)
{
    char *const bad[] = {
        "0",  "5",    "0s",         "-5s", "5m",
        "s",  "",     "1.5s",       "5 s", "86401s",
        "5S", "5sms", "86400001ms", "ms",  "99999999999999999999s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char named[MAX_OUTPUT];
        snprintf(named, sizeof named, "--timeout=%s: ", bad[i]);
        check_refused(WORDS("--timeout", bad[i]), named);
    }
    check_refused(WORDS("--timeout=0"), "500ms");
}

TEST(bad_choices_are_named_with_the_good_ones)
{
    char *const bad[] = {"", "wai", "waits", "wait|refuse", "|", "Wait"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_refused(WORDS("--mode", bad[i]), "not one of wait|refuse");
}

TEST(an_empty_text_is_refused)
{
    check_refused(WORDS("--host="), "--host=");
}

TEST(unknown_flags_are_named)
{
    check_refused(WORDS("--colour=red"), "--colour=red");
    check_refused(WORDS("--por=80"), "--por=80");
    check_refused(WORDS("--ports=80"), "--ports=80");
    check_refused(WORDS("--=80"), "--=80");
    check_refused(WORDS("-p"), "-p");
}

TEST(a_flag_given_twice_is_named)
{
    check_refused(WORDS("--port=80", "--port=80"), "--port=80");
}

TEST(a_flag_without_a_value_is_named)
{
    check_refused(WORDS("--host=there", "--port"), "--port");
}

/* --- help --------------------------------------------------------------- */

TEST(help_has_flags_defaults_operands_and_more)
{
    char said[MAX_OUTPUT];
    CHECK_NUMBER(exit_status(WORDS("--help"), STDOUT_FILENO, said), 0);
    const char *const parts[] = {"usage: program [flags] [WHAT]\n",
                                 "--host=here\n",
                                 "a text\n",
                                 "--mode=wait\n",
                                 "(wait|refuse)\n",
                                 "--port=9000\n",
                                 "--timeout=1500ms\n",
                                 "More about it.\n"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(said, parts[i]) == NULL)
            CHECK_TEXT(said, parts[i]);
}
