/* Stacks on which functions take turns: one runs, the others stand still. */

#ifndef STACK_H
#define STACK_H

#include <stdbool.h>
#include <stddef.h>

/* Its fields belong to the functions below. All zero: the stack of a thread. */
struct stack {
    void *pointer; /* while it stands still: what it saved lies there */
    char *bottom;  /* of its memory; below that is the guard */
    size_t size;
    void *fibre, *fake_frames; /* the sanitizers' */
};

/* Makes a stack on which body begins at its first turn. body calls
 * stack_entered first, with the stack that gave it the turn, and never returns.
 * Returns false with errno when there is no memory. */
bool stack_open(struct stack *stack, void (*body)(void));
void stack_entered(struct stack *from);

/* Gives the memory back. The stack must not be the one that runs. */
void stack_close(struct stack *stack);

/* Stands still on from, goes on where to stood still. A stack keeps to its
 * thread: the compiler may have noted where that has its errno. */
void stack_switch(struct stack *from, struct stack *to);

#endif
