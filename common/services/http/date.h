/* Dates in HTTP (RFC 9110 section 5.6.7): seconds since 1970, in GMT. */

#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

enum { HTTP_DATE_SIZE = sizeof "Sun, 06 Nov 1994 08:49:37 GMT" };

/* Writes a date of the years 1970 to 9999; others become the nearest one. */
void http_date_write(int64_t seconds, char text[HTTP_DATE_SIZE]);

/* Reads a date in any of the three forms that HTTP ever had. Returns whether it
 * is one. */
bool http_date_read(struct text text, int64_t *seconds);

#endif
