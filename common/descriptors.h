/* File descriptors: how many a process may have, and the standard ones. */

#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

enum { MAX_DESCRIPTORS = 65536 }; /* as many as a server may use */

/* Sets the limit on open descriptors to wanted, or as close to it as this user
 * may (getrlimit(2)). Returns the new limit. Exits on failure. */
int descriptors_raise_limit(int wanted);

/* Exits with one clear line if standard output is closed: for a program whose
 * work is to write there. Call it before descriptors_open_standard. */
void descriptors_need_output(void);

/* Opens /dev/null in place of each standard descriptor that is closed: else
 * the next socket would get its number, and error messages would be sent to a
 * client. Exits on failure. */
void descriptors_open_standard(void);

#endif
