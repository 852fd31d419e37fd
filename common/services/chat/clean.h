/* Makes what members write safe to show on other people's terminals. */

#ifndef CHAT_CLEAN_H
#define CHAT_CLEAN_H

#include <stddef.h>

/* Cleans text in place and returns its length, which never grows. Characters of
 * UTF-8 stay whole. A tab becomes a space. All other control characters, among
 * them the escapes that move a cursor or set a title, and every byte that is
 * not UTF-8 become '?'. */
size_t chat_clean(char *text, size_t length);

#endif
