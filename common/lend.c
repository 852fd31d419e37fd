/* A list of spare blocks, the one that came back last at its head: that one is
 * still in the processor's caches. */

#include "lend.h"

#include <pthread.h>
#include <stdlib.h>

enum { MAX_SPARE = 64 };

struct lent {
    struct lent *next; /* written over as soon as the block is lent */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all lenders */

void *lend(struct lender *lender)
{
    pthread_mutex_lock(&lock);
    struct lent *block = lender->spare;
    if (block != NULL) {
        lender->spare = block->next;
        lender->spare_count--;
    }
    pthread_mutex_unlock(&lock);
    return block != NULL ? block : malloc(lender->size);
}

void lend_return(struct lender *lender, void *block)
{
    struct lent *returned = block;
    pthread_mutex_lock(&lock);
    if (lender->spare_count < MAX_SPARE) {
        returned->next = lender->spare;
        lender->spare = returned;
        lender->spare_count++;
        returned = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(returned);
}
