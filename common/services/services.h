/* Every service there is, one per file. */

#ifndef SERVICES_H
#define SERVICES_H

#include "service.h"

extern const struct service echo_service;
extern const struct service desk_service;
extern const struct service chat_service;
extern const struct service http_service;
extern const struct service files_service;

#endif
