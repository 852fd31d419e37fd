/* Unit tests in C: a test is a function without arguments, a program is a table
 * of tests and runs the one that it is told to. Include this in one file only.
 */

#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
    const char *name;
    void (*run)(void);
};

static int failed_checks;

/* Goes on after a failure, so that one run shows them all. */
#define CHECK(claim) check(claim, #claim, __FILE__, __LINE__)
#define CHECK_NUMBER(seen, expected)                                           \
    check_number((long)(seen), (long)(expected), #seen, __FILE__, __LINE__)
#define CHECK_TEXT(seen, expected)                                             \
    check_text(seen, expected, #seen, __FILE__, __LINE__)

static inline void check(bool holds, const char *claim, const char *file,
                         int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
        failed_checks++;
    }
}

static inline void check_number(long seen, long expected, const char *what,
                                const char *file, int line)
{
    if (seen != expected) {
        fprintf(stderr, "%s:%d: %s is %ld, expected %ld\n", file, line, what,
                seen, expected);
        failed_checks++;
    }
}

static inline void check_text(const char *seen, const char *expected,
                              const char *what, const char *file, int line)
{
    if (strcmp(seen, expected) != 0) {
        fprintf(stderr, "%s:%d: %s is \"%s\", expected \"%s\"\n", file, line,
                what, seen, expected);
        failed_checks++;
    }
}

/* For main: runs the test that the command line names. */
static inline int run_test(int argc, char *argv[], const struct test *tests)
{
    for (; argc == 2 && tests->name != NULL; tests++) {
        if (strcmp(tests->name, argv[1]) == 0) {
            tests->run();
            return failed_checks == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fprintf(stderr, "usage: %s TEST, one that stands in the table of tests\n",
            argv[0]);
    return 2;
}

#define TEST(name)                                                             \
    {                                                                          \
#name, name                                                            \
    }

#endif
