/* Unit tests in C: TEST(its_name) { ... } is a test, and a program is a file of
 * them, which runs the one that it is told to. Include this in one file only.
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
    struct test *next;
};

static struct test *tests;
static int failed_checks;

/* Begins a test. It is in the list before main begins, so none is forgotten. */
#define TEST(test_name)                                                        \
    static void test_name(void);                                               \
    __attribute__((constructor)) static void add_##test_name(void)             \
    {                                                                          \
        static struct test test = {.name = #test_name, .run = test_name};      \
        test.next = tests;                                                     \
        tests = &test;                                                         \
    }                                                                          \
    static void test_name(void)

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

int main(int argc, char *argv[])
{
    for (struct test *test = tests; argc == 2 && test; test = test->next) {
        if (strcmp(test->name, argv[1]) == 0) {
            test->run();
            return failed_checks == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    }
    fprintf(stderr, "usage: %s TEST, one that stands in its source\n", argv[0]);
    return 2;
}

#endif
