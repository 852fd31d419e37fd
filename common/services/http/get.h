/* The methods GET and HEAD, which every site has. */

#ifndef HTTP_GET_H
#define HTTP_GET_H

#include "exchange.h"

int http_get(struct http_exchange *exchange);

#endif
