/* Editing what is typed, and calling back what was typed before: by libedit or
 * readline if the build has found one of them (.ci/probe). Without them the
 * terminal edits, as it does for every program. */

#ifndef EDITOR_H
#define EDITOR_H

#include <stdbool.h>
#include <sys/types.h>

/* From now on what is typed is read by editor_read. Returns false if there is
 * no editor, or standard input and output are no terminal that can do it. */
bool editor_open(void);

/* To be called when standard input can be read. Returns as read(2) does, with
 * at most one line; -1 with EINTR while the line is not complete. Of a line
 * that does not fit only the begin is given, as the terminal does. */
ssize_t editor_read(char *bytes, size_t size);

/* Before and after something else is shown: takes the line that is being typed
 * off the screen, and shows it again. Without an editor they do nothing. */
void editor_hide(void);
void editor_show(bool is_at_line_start);

#endif
