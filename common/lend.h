/* Memory that is lent again and again. Given back to malloc, large blocks would
 * go back to the kernel, which then has to find new pages for each. */

#ifndef LEND_H
#define LEND_H

#include <stddef.h>

/* What lends blocks of one size. Initialised with the size, the rest zero. */
struct lender {
    size_t size;
    struct lent *spare; /* blocks that came back */
    int spare_count;
};

/* Lends a block, with whatever it holds. Returns NULL if there is no memory. */
void *lend(struct lender *lender);

/* Takes a block back. A few are kept for the next, the others freed. */
void lend_return(struct lender *lender, void *block);

#endif
