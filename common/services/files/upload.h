/* Uploads that appear whole or not at all: bytes are collected in a temporary
 * file in the same directory, and it is renamed when they are on the disk.
 * Names of temporary files begin with a dot, so that none can be asked for. */

#ifndef FILES_UPLOAD_H
#define FILES_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

enum { UPLOAD_NAME_SIZE = 64 };

struct upload {
    int directory; /* borrowed; as opened by the caller */
    int file;
    char name[UPLOAD_NAME_SIZE]; /* of the temporary file */
};

/* Begins an upload into a directory. The first one into it removes what a
 * server that was killed has left there. Returns 0, or -1 with errno. End it
 * with upload_end, however it went. */
int upload_begin(struct upload *upload, int directory);

/* Adds bytes. Returns 0, or -1 with errno. */
int upload_write(struct upload *upload, const char *bytes, size_t size);

/* Waits until all bytes are on the disk. Returns 0, or -1 with errno. */
int upload_sync(struct upload *upload);

/* Gives the file its name. If replaced is the state of the file that has it,
 * takes over its mode, and its owner where that is allowed. If must_be_new, and
 * the name is taken by now, fails with EEXIST. Returns 0, or -1 with errno. */
int upload_publish(struct upload *upload, const char *name,
                   const struct stat *replaced, bool must_be_new);

/* Ends an upload; what was not published is gone. */
void upload_end(struct upload *upload);

/* Between these two, no other thread publishes or deletes a file: what was
 * looked at does not change before the change that depends on it. It is a lock
 * of this process only. A lock on the directory itself could be held for ever
 * by anybody who may read it; so two servers of one directory can overwrite
 * each other's changes, though never mix them. */
void files_lock(void);
void files_unlock(void);

/* Makes the names in the directory last, before a change of them is
 * acknowledged. Returns 0, or -1 with errno. */
int files_sync(int directory);

#endif
