/* A list of members, and a lock. */

#include "roster.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "stop.h"
#include "wait.h"

#define LAST_CHANCE_NS                                                         \
    (500 * NS_PER_MS)              /* to read what is pending at the end */
#define BATCH_NS (100 * NS_PER_MS) /* from one batch of notices to the next */
#define TOO_SLOW "error too slow: more was said than you have read\n"

enum { MAX_LIST = 4000, MAX_NOTICE = 256, MAX_BATCH = 16384 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct member *members; /* in the order in which they came */
static struct member **members_end = &members;
static int members_count;

/* Notices of members that came or left, not told yet. */
static char batch[MAX_BATCH];
static size_t batch_length;
static int64_t batch_told; /* when the last one was told: now_ns() */

/* --- what all are told --------------------------------------------------- */
/* Called with the lock held, but for the last. */

/* Tells a member the notices that it was not told yet. */
static bool tell_notices(struct member *to)
{
    size_t length = batch_length - to->known_notices;
    if (length > 0)
        outbox_put(&to->out, batch + to->known_notices, length);
    return length > 0;
}

static void tell_batch(void)
{
    for (struct member *to = members; to != NULL; to = to->next) {
        if (tell_notices(to))
            batch_told = now_ns();
        to->known_notices = 0;
    }
    batch_length = 0;
}

/* Tells everybody a line, behind what happened before it. */
static void deliver(const char *line)
{
    tell_batch();
    for (struct member *to = members; to != NULL; to = to->next)
        outbox_put(&to->out, line, strlen(line));
}

/* Adds what happened to a member to the batch. Returns whether the caller has
 * to see to it that the batch is told: it is the first to add to it. */
static bool add_notice(const char *name, const char *what)
{
    if (batch_length + MAX_NOTICE > sizeof batch)
        tell_batch();
    bool is_first = batch_length == 0;
    batch_length += (size_t)snprintf(batch + batch_length, MAX_NOTICE,
                                     "-- %s %s\n", name, what);
    return is_first;
}

static bool has_audience(void)
{
    const struct member *one = members;
    while (one != NULL && one->known_notices == batch_length)
        one = one->next;
    return one != NULL;
}

/* Tells the batch when it is time: at once in a quiet room, else after a pause,
 * which one thread makes for all that come meanwhile. Takes the lock itself. */
static void tell_batch_in_time(void)
{
    pthread_mutex_lock(&lock);
    int64_t time = has_audience() ? batch_told + BATCH_NS : 0;
    pthread_mutex_unlock(&lock);
    if (now_ns() < time)
        wait_for(-1, 0, time, true);
    pthread_mutex_lock(&lock);
    tell_batch();
    pthread_mutex_unlock(&lock);
}

/* --- the list of members ------------------------------------------------- */
/* All of these are called with the lock held. */

static void append(struct member *self)
{
    *members_end = self;
    members_end = &self->next;
    members_count++;
}

static void take_out(const struct member *self)
{
    struct member **link = &members;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    if (self->next == NULL)
        members_end = link;
    members_count--;
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
static void list_names(char list[MAX_LIST])
{
    enum { ROOM_FOR_REST = 2 * MAX_NAME };
    size_t length = 0;
    int more = members_count;
    list[0] = '\0';
    for (const struct member *one = members;
         one != NULL && length < MAX_LIST - ROOM_FOR_REST; one = one->next) {
        length += (size_t)snprintf(list + length, MAX_LIST - length, "%s%s",
                                   length == 0 ? "" : ", ", one->name);
        more--;
    }
    if (more > 0)
        snprintf(list + length, MAX_LIST - length, " and %d more", more);
}

/* --- joining and leaving ------------------------------------------------- */

static void welcome(struct member *self, const char *advice)
{
    char list[MAX_LIST], line[MAX_LIST + MAX_NOTICE];
    list_names(list);
    snprintf(line, sizeof line, "-- you are %s; here: %s; %s\n", self->name,
             list, advice);
    outbox_put(&self->out, line, strlen(line));
}

bool roster_join(struct member *self, int client, long number,
                 const char *advice)
{
    *self = (struct member){.next = NULL};
    if (!outbox_open(&self->out, client, &lock))
        return false;
    snprintf(self->name, sizeof self->name, "guest%ld", number);

    pthread_mutex_lock(&lock);
    bool is_first = add_notice(self->name, "has come");
    self->known_notices = batch_length;
    append(self);
    welcome(self, advice);
    pthread_mutex_unlock(&lock);
    if (is_first)
        tell_batch_in_time();
    return true;
}

/* A member that left may still read what is pending, if it does so soon. */
static void give_last_chance(struct outbox *out)
{
    if (out->length == 0)
        return;
    int64_t deadline = now_ns() + LAST_CHANCE_NS;
    if (wait_for(out->client, POLLOUT, deadline, false) == READY)
        outbox_send(out);
}

int roster_leave(struct member *self, const char *why, const char *last_words)
{
    struct outbox *out = &self->out;
    pthread_mutex_lock(&lock);
    int error = out->error;
    bool is_slow = outbox_is_behind(out), is_first = false;
    tell_notices(self);
    take_out(self);
    if (!stop_requested()) /* when all leave, nobody stays to be told */
        is_first =
            add_notice(self->name, is_slow ? "was too slow and is gone" : why);
    pthread_mutex_unlock(&lock);

    if (is_slow)
        outbox_replace(out, TOO_SLOW);
    else
        outbox_put(out, last_words, strlen(last_words));
    give_last_chance(out);
    if (error == 0)
        error = out->length > 0 ? ENOBUFS : out->error;
    outbox_close(out);
    if (is_first)
        tell_batch_in_time();
    return error;
}

/* --- what members do ----------------------------------------------------- */

void roster_tell(struct member *self, const char *line)
{
    pthread_mutex_lock(&lock);
    outbox_put(&self->out, line, strlen(line));
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
    char list[MAX_LIST], line[MAX_LIST + MAX_NOTICE];
    pthread_mutex_lock(&lock);
    list_names(list);
    snprintf(line, sizeof line, "-- here: %s\n", list);
    outbox_put(&self->out, line, strlen(line));
    pthread_mutex_unlock(&lock);
}

/* Looking and taking are one step under the lock: of two members that want a
 * name at the same moment, one gets it. */
bool roster_rename(struct member *self, const char *name)
{
    char line[MAX_NOTICE];
    pthread_mutex_lock(&lock);
    bool is_free = !is_taken(name, self);
    if (is_free) {
        snprintf(line, sizeof line, "-- %s is now %s\n", self->name, name);
        deliver(line);
        snprintf(self->name, sizeof self->name, "%s", name);
    }
    pthread_mutex_unlock(&lock);
    return is_free;
}

/* --- waiting ------------------------------------------------------------- */

int roster_catch_up(struct member *self)
{
    return outbox_catch_up(&self->out);
}

int roster_wait(void *self, int64_t deadline)
{
    struct member *member = self;
    return outbox_wait(&member->out, deadline);
}
