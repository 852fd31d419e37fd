/* A list of members, a lock, and for each member a bounded buffer of words that
 * its socket did not take. */

#include "roster.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "stop.h"
#include "wait.h"
#include "write.h"

#define LAST_CHANCE_NS (500 * NS_PER_MS) /* to read what is kept at the end */
#define TOO_SLOW "error too slow: more was said than you have read\n"

enum { LONGEST_LIST = 4000, LONGEST_NOTICE = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct member *members; /* in the order in which they came */

/* --- one member's words ------------------------------------------------- */
/* All of these are called with the lock held, or for one who has left. */

/* At most one byte is in the pipe, so that this never blocks. */
static void ring(struct member *to)
{
    if (!to->is_rung)
        to->is_rung = write(to->bell[1], "", 1) == 1;
}

static void hush(struct member *self)
{
    char byte;
    if (self->is_rung)
        self->is_rung = read(self->bell[0], &byte, 1) != 1;
}

/* Sends as much of what is kept as the socket takes now. */
static void send_kept(struct member *to)
{
    ssize_t sent = send(to->client, to->kept, to->kept_length, MSG_DONTWAIT);
    if (sent >= 0) {
        to->kept_length -= (size_t)sent;
        memmove(to->kept, to->kept + sent, to->kept_length);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        to->failure = errno;
    }
}

/* Gives a line to a member, without waiting. Behind words that are kept already
 * it has to queue, or lines would overtake each other. */
static void hand(struct member *to, const char *line)
{
    size_t length = strlen(line);
    bool was_empty = to->kept_length == 0;
    if (to->failure != 0)
        return;
    if (length > MOST_KEPT - to->kept_length) {
        to->failure = ENOBUFS;
        ring(to);
        return;
    }
    memcpy(to->kept + to->kept_length, line, length);
    to->kept_length += length;
    if (was_empty)
        send_kept(to);
    if (was_empty && to->kept_length > 0)
        ring(to); /* its thread has to look after the rest */
}

static bool has_fallen_behind(const struct member *member)
{
    return member->failure == ENOBUFS || member->failure == ETIMEDOUT;
}

/* Forgets what is kept, but for the line of which a part may have been sent. */
static void forget_kept(struct member *self)
{
    const char *lf = memchr(self->kept, '\n', self->kept_length);
    self->kept_length = lf != NULL ? (size_t)(lf - self->kept) + 1 : 0;
}

/* --- the list of members ------------------------------------------------ */
/* All of these are called with the lock held. */

static void deliver(const char *line)
{
    for (struct member *to = members; to != NULL; to = to->next)
        hand(to, line);
}

/* Tells everybody what the room has noticed about a member. */
static void deliver_notice(const char *name, const char *what)
{
    char notice[LONGEST_NOTICE];
    snprintf(notice, sizeof notice, "-- %s %s\n", name, what);
    deliver(notice);
}

static void append(struct member *self)
{
    struct member **place = &members;
    while (*place != NULL)
        place = &(*place)->next;
    *place = self;
}

static void take_out(const struct member *self)
{
    struct member **place = &members;
    while (*place != self)
        place = &(*place)->next;
    *place = self->next;
}

static bool is_taken(const char *name, const struct member *by_others_than)
{
    for (const struct member *other = members; other != NULL;
         other = other->next)
        if (other != by_others_than && strcasecmp(other->name, name) == 0)
            return true;
    return false;
}

/* Writes the names of all; in a crowd, of the first, and how many more. */
static void list_names(char list[LONGEST_LIST])
{
    enum { ROOM_FOR_REST = 2 * LONGEST_NAME };
    size_t length = 0;
    int more = 0;
    list[0] = '\0';
    for (const struct member *one = members; one != NULL; one = one->next)
        if (length < LONGEST_LIST - ROOM_FOR_REST)
            length +=
                (size_t)snprintf(list + length, LONGEST_LIST - length, "%s%s",
                                 length == 0 ? "" : ", ", one->name);
        else
            more++;
    if (more > 0)
        snprintf(list + length, LONGEST_LIST - length, " and %d more", more);
}

/* --- joining and leaving ------------------------------------------------ */

static bool open_bell(int bell[2])
{
    if (pipe(bell) == -1)
        return false;
    fcntl(bell[0], F_SETFD, FD_CLOEXEC);
    fcntl(bell[1], F_SETFD, FD_CLOEXEC);
    return true;
}

static void welcome(struct member *self, const char *advice)
{
    char list[LONGEST_LIST], line[LONGEST_LIST + LONGEST_NOTICE];
    list_names(list);
    snprintf(line, sizeof line, "-- you are %s; here: %s; %s\n", self->name,
             list, advice);
    hand(self, line);
}

bool roster_join(struct member *self, int client, long number,
                 const char *advice)
{
    *self = (struct member){.client = client, .kept = malloc(MOST_KEPT)};
    if (self->kept == NULL || !open_bell(self->bell)) {
        free(self->kept);
        return false;
    }
    snprintf(self->name, sizeof self->name, "guest%ld", number);

    pthread_mutex_lock(&lock);
    deliver_notice(self->name, "has come");
    append(self);
    welcome(self, advice);
    pthread_mutex_unlock(&lock);
    return true;
}

/* Who has left may still read what is kept, if it does so soon. */
static void give_last_chance(struct member *self)
{
    if (self->kept_length == 0)
        return;
    int64_t deadline = now_ns() + LAST_CHANCE_NS;
    if (wait_for(self->client, POLLOUT, deadline, false) == READY)
        send_kept(self);
}

/* Tells one who has left why: too much is kept to be sent any more. */
static void tell_too_slow(struct member *self)
{
    self->failure = 0;
    forget_kept(self);
    hand(self, TOO_SLOW);
}

int roster_leave(struct member *self, const char *why, const char *last_words)
{
    pthread_mutex_lock(&lock);
    int failure = self->failure;
    bool is_slow = has_fallen_behind(self);
    take_out(self);
    if (!stop_requested()) /* when all leave, nobody stays to be told */
        deliver_notice(self->name, is_slow ? "was too slow and is gone" : why);
    pthread_mutex_unlock(&lock);

    if (is_slow)
        tell_too_slow(self);
    else
        hand(self, last_words);
    give_last_chance(self);
    if (failure == 0)
        failure = self->kept_length > 0 ? ENOBUFS : self->failure;
    close(self->bell[0]);
    close(self->bell[1]);
    free(self->kept);
    return failure;
}

/* --- what members do ---------------------------------------------------- */

void roster_tell(struct member *self, const char *line)
{
    pthread_mutex_lock(&lock);
    hand(self, line);
    pthread_mutex_unlock(&lock);
}

void roster_say(const char *line)
{
    pthread_mutex_lock(&lock);
    deliver(line);
    pthread_mutex_unlock(&lock);
}

void roster_list(struct member *self)
{
    char list[LONGEST_LIST], line[LONGEST_LIST + LONGEST_NOTICE];
    pthread_mutex_lock(&lock);
    list_names(list);
    snprintf(line, sizeof line, "-- here: %s\n", list);
    hand(self, line);
    pthread_mutex_unlock(&lock);
}

/* Looking and taking are one step under the lock: of two members who want a
 * name at the same moment, one gets it. */
bool roster_rename(struct member *self, const char *name)
{
    char what[LONGEST_NAME + sizeof "is now "];
    pthread_mutex_lock(&lock);
    bool is_free = !is_taken(name, self);
    if (is_free) {
        snprintf(what, sizeof what, "is now %s", name);
        deliver_notice(self->name, what);
        snprintf(self->name, sizeof self->name, "%s", name);
    }
    pthread_mutex_unlock(&lock);
    return is_free;
}

/* --- waiting ------------------------------------------------------------ */

/* Sends what the socket takes. Returns 1 when nothing is kept any more, 0 when
 * something is; -1 with errno when the member is to go. */
static int try_to_catch_up(struct member *self)
{
    pthread_mutex_lock(&lock);
    hush(self);
    if (self->failure == 0 && self->kept_length > 0)
        send_kept(self);
    int failure = self->failure;
    bool has_caught_up = self->kept_length == 0;
    pthread_mutex_unlock(&lock);
    errno = failure;
    return failure != 0 ? -1 : has_caught_up;
}

static int fail(struct member *self, int failure)
{
    pthread_mutex_lock(&lock);
    self->failure = failure;
    pthread_mutex_unlock(&lock);
    errno = failure;
    return -1;
}

int roster_catch_up(struct member *self)
{
    int result;
    while ((result = try_to_catch_up(self)) == 0) {
        enum wake wake = write_wait(self->client, self->bell[0], true);
        if (wake == STOPPED)
            return 0;
        if (wake == LATE)
            return fail(self, ETIMEDOUT);
    }
    return result;
}

int roster_wait(void *member, int64_t deadline)
{
    struct member *self = member;
    enum wake wake;
    do { /* rung: words were kept, or the member is to go */
        int result = roster_catch_up(self);
        if (result <= 0)
            return result;
        wake = wait_or_notified(self->client, POLLIN, self->bell[0], deadline,
                                false);
    } while (wake == NOTIFIED);
    if (wake == LATE)
        errno = ETIMEDOUT;
    return wake == READY ? 1 : -1;
}
