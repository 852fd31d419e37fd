/* Runs a fuzz target over files, for compilers that have no fuzzer: what was
 * found once must not come back. */

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_INPUT = 65536 };

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

/* The target gets memory of just the right size, so that a sanitizer sees when
 * it reads past the end. */
static void replay(const char *path)
{
    static unsigned char bytes[MAX_INPUT];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        err(EXIT_FAILURE, "cannot open %s", path);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);

    unsigned char *data = malloc(size > 0 ? size : 1);
    if (data == NULL)
        err(EXIT_FAILURE, "no memory for %s", path);
    for (size_t i = 0; i < size; i++)
        data[i] = bytes[i];
    LLVMFuzzerTestOneInput(data, size);
    free(data);
}

int main(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    return EXIT_SUCCESS;
}
