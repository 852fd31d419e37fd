/* Sorting more than memory holds, by reading it several times. */

#include "entries.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "path.h"

/* Letters of either case are neighbours, as people expect; names that differ in
 * nothing else are told apart. */
static int compare(const char *a, const char *b)
{
    int by_letters = strcasecmp(a, b);
    return by_letters != 0 ? by_letters : strcmp(a, b);
}

static int compare_entries(const void *a, const void *b)
{
    return compare(*(char *const *)a, *(char *const *)b);
}

static int compare_addresses(const void *a, const void *b)
{
    const char *first = *(char *const *)a, *second = *(char *const *)b;
    return (first > second) - (first < second);
}

static void sort(struct entries *entries)
{
    if (entries->count > 0)
        qsort(entries->all, entries->count, sizeof *entries->all,
              compare_entries);
}

/* There is room for it: no entry is longer than NAME_MAX and its kind. */
static void copy_text(char *to, const char *from)
{
    memcpy(to, from, strlen(from) + 1);
}

/* What kind of entry is it? '\0' for one that cannot be asked for. */
static char kind_of(int directory, const struct dirent *entry)
{
    struct stat st;
    if (http_name_check(entry->d_name) != 0)
        return '\0';
#ifdef DT_DIR /* most file systems say it here */
    if (entry->d_type != DT_UNKNOWN)
        return (char)(entry->d_type == DT_DIR   ? 'd'
                      : entry->d_type == DT_REG ? 'f'
                                                : '\0');
#endif
    if (fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
        return '\0';
    return (char)(S_ISDIR(st.st_mode) ? 'd' : S_ISREG(st.st_mode) ? 'f' : '\0');
}

/* Forgets the larger half of those collected, and moves the others together. */
static void drop_half(struct entries *entries)
{
    if (entries->count < 2)
        return; /* as many always fit */
    sort(entries);
    entries->count /= 2;
    copy_text(entries->bound, entries->all[entries->count - 1]);
    qsort(entries->all, entries->count, sizeof *entries->all,
          compare_addresses);
    entries->used = 0;
    for (size_t i = 0; i < entries->count; i++) {
        size_t size = strlen(entries->all[i]) + 1;
        char *to = entries->space + entries->used;
        memmove(to, entries->all[i], size);
        entries->all[i] = to;
        entries->used += size;
    }
}

static void add(struct entries *entries, const char *entry)
{
    size_t size = strlen(entry) + 1;
    if (entries->count == ENTRIES_ROOM ||
        size > sizeof entries->space - entries->used) {
        drop_half(entries);
        if (compare(entry, entries->bound) > 0)
            return; /* it comes with a later part, as those dropped */
    }
    entries->all[entries->count++] =
        memcpy(entries->space + entries->used, entry, size);
    entries->used += size;
}

static bool is_wanted(const struct entries *entries, const char *entry)
{
    return compare(entry, entries->last) > 0 &&
           (*entries->bound == '\0' || compare(entry, entries->bound) <= 0);
}

/* Reads the directory, and collects the first entries after the last one that
 * was given out. */
static int collect(struct entries *entries)
{
    char entry[NAME_MAX + 2];
    const struct dirent *read;
    entries->count = entries->next = entries->used = 0;
    *entries->bound = '\0';
    for (errno = 0; (read = readdir(entries->stream)) != NULL; errno = 0) {
        *entry = kind_of(dirfd(entries->stream), read);
        if (*entry == '\0' || strlen(read->d_name) > NAME_MAX)
            continue;
        copy_text(entry + 1, read->d_name);
        if (is_wanted(entries, entry))
            add(entries, entry);
    }
    int reason = errno;
    sort(entries);
    errno = reason;
    return reason == 0 ? 0 : -1;
}

int entries_open(struct entries *entries, DIR *stream)
{
    entries->stream = stream;
    *entries->last = '\0';
    return collect(entries);
}

const char *entries_next(struct entries *entries)
{
    errno = 0;
    if (entries->next == entries->count) {
        if (*entries->bound == '\0')
            return NULL;
        rewinddir(entries->stream);
        if (collect(entries) == -1 || entries->count == 0)
            return NULL;
    }
    const char *entry = entries->all[entries->next++];
    copy_text(entries->last, entry);
    return entry;
}
