/* The statuses of replies: what each is called and what it means to people. */

#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

struct http_status {
    int number;
    const char *phrase;
    const char *explanation; /* for people; NULL where there is no body */
};

/* The status of this number; of 500 if there is none of this number. */
const struct http_status *http_status_find(int number);

/* The number of the status that tells a client why its file cannot be read or
 * changed, for an errno of the file system. */
int http_status_of(int error);

#endif
