/* Uploads that appear whole or not at all: bytes are collected in a temporary
 * file in the same directory, and it is renamed when they are on the disk.
 * Temporary files have names that begin with a dot, so none can be asked for.
 */

#ifndef FILES_UPLOAD_H
#define FILES_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>

enum { UPLOAD_NAME_SIZE = 64 };

struct upload {
    int directory; /* borrowed; as opened by the caller */
    int file;
    char name[UPLOAD_NAME_SIZE]; /* of the temporary file */
};

/* Begins an upload into a directory. Returns 0, or -1 with errno. End it with
 * upload_end, however it went. */
int upload_begin(struct upload *upload, int directory);

/* Adds bytes. Returns 0, or -1 with errno. */
int upload_write(struct upload *upload, const char *bytes, size_t size);

/* Waits until all bytes are on the disk. Returns 0, or -1 with errno. */
int upload_sync(struct upload *upload);

/* Gives the file its name and replaces a file that has it; but if it is new,
 * only if there is none (EEXIST). Returns 0, or -1 with errno. */
int upload_publish(struct upload *upload, const char *name, bool is_new);

/* Ends an upload; what was not published is gone. */
void upload_end(struct upload *upload);

/* Locks a directory against other uploads into it, of this server or another,
 * so that nothing happens between a look and a change. Returns a descriptor for
 * files_unlock, or -1 with errno. */
int files_lock(int directory);

/* Makes the names in a locked directory last, and unlocks it. Returns 0, or -1
 * with errno. */
int files_unlock(int lock);

/* Removes what uploads that were cut off by the end of their server have left
 * in a directory and all those below it. */
void uploads_sweep(const char *directory);

#endif
