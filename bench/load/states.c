/* States: clients that wait equally long are due in the order in which they
 * came, so a list serves any number of deadlines, and no heap is needed. */

#include "states.h"

#include <stddef.h>

#include "clock.h"

static struct {
    struct client *first, *last;
} lists[STATE_COUNT];

static void leave_list(struct client *c)
{
    *(c->before != NULL ? &c->before->after : &lists[c->state].first) =
        c->after;
    *(c->after != NULL ? &c->after->before : &lists[c->state].last) = c->before;
}

static void join_list(struct client *c, enum state state, int64_t delay_ns)
{
    c->state = state;
    c->due = deadline_after(delay_ns);
    c->before = lists[state].last;
    c->after = NULL;
    *(c->before != NULL ? &c->before->after : &lists[state].first) = c;
    lists[state].last = c;
}

void state_add(struct client *c)
{
    join_list(c, IDLE, 0);
}

void state_enter(struct client *c, enum state state, int64_t delay_ns)
{
    leave_list(c);
    join_list(c, state, delay_ns);
}

struct client *state_first(enum state state)
{
    return lists[state].first;
}

int64_t states_next_due(void)
{
    int64_t due = NEVER;
    for (int i = 0; i < STATE_COUNT; i++)
        if (lists[i].first != NULL && lists[i].first->due < due)
            due = lists[i].first->due;
    return due;
}

void states_handle_due(void (*on_due)(struct client *c))
{
    for (int i = 0; i < STATE_COUNT; i++) {
        struct client *c;
        while ((c = lists[i].first) != NULL && c->due <= now_ns())
            on_due(c);
    }
}
