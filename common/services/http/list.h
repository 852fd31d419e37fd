/* The listing of a directory as a web page. */

#ifndef HTTP_LIST_H
#define HTTP_LIST_H

#include "exchange.h"

/* Lists the directory that exchange->path names, which stays open. Returns as a
 * method does. */
int http_list(struct http_exchange *exchange, int directory);

#endif
