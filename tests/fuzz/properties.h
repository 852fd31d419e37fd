/* What a fuzz target claims: a property that does not hold ends it, so that the
 * fuzzer keeps the input. */

#ifndef PROPERTIES_H
#define PROPERTIES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/path.h"

#define PROPERTY(claim) property(claim, #claim, __FILE__, __LINE__)

static inline void property(int holds, const char *claim, const char *file,
                            int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: not so: %s\n", file, line, claim);
        abort();
    }
}

/* A path is safe if each of its names is: none is empty, "." or "..". */
static inline void check_path(const char *path)
{
    char copy[HTTP_PATH_SIZE];
    PROPERTY(strlen(path) < sizeof copy);
    strcpy(copy, path);
    char *name = copy, *slash;
    while ((slash = strchr(name, '/')) != NULL) {
        *slash = '\0';
        PROPERTY(http_name_check(name) == 0);
        name = slash + 1;
    }
    PROPERTY(*name == '\0' || http_name_check(name) == 0);
}

#endif
