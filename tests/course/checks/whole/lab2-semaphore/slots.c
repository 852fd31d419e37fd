/* Another right make of the slots: semaphores of libc. */

#include "slots.h"

#include <errno.h>
#include <semaphore.h>

static sem_t free_slots;
static int total;

static void take(void)
{
    while (sem_wait(&free_slots) == -1 && errno == EINTR)
        continue;
}

void slots_open(int count)
{
    total = count;
    sem_init(&free_slots, 0, (unsigned)count);
}

void slots_take(void)
{
    take();
}

void slots_give(void)
{
    sem_post(&free_slots);
}

void slots_await_all(void)
{
    for (int i = 0; i < total; i++)
        take();
}
