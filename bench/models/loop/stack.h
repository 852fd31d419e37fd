/* Stacks on which functions take turns: one runs, the others stand still. */

#ifndef STACK_H
#define STACK_H

#include <stddef.h>

#if !defined __LP64__ || !(defined __x86_64__ || defined __aarch64__)
#define STACK_UCONTEXT /* no switch by hand for this processor */
#endif
#ifdef STACK_UCONTEXT
#include <ucontext.h>
#endif

/* Its fields belong to the functions below. All zero: the stack of a thread. */
struct stack {
    void *pointer; /* while it stands still: its registers lie there */
    char *bottom;  /* of its memory; below that is the guard */
    size_t size;
    void *fibre, *fake_frames; /* the sanitizers' */
#ifdef STACK_UCONTEXT
    ucontext_t context;
#endif
};

/* Makes a stack on which body begins at its first turn. body calls
 * stack_entered first, with the stack that gave it the turn, and never returns.
 * The struct stack is the beginning of size zeroed bytes above the stack, which
 * are the caller's. Returns NULL with errno when there is no memory. */
void *stack_new(size_t size, void (*body)(void));
void stack_entered(struct stack *from);

/* Gives the memory back. The stack must not be the one that runs. */
void stack_free(struct stack *stack);

/* Stands still on from, goes on where to stood still. A stack keeps to its
 * thread: the compiler may have noted where that has its errno. */
void stack_switch(struct stack *from, struct stack *to);

#endif
