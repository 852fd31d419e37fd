/* Switching stacks by hand. A caller has saved what a call may change, so what
 * is left are the registers that a function must preserve (System V ABI,
 * AAPCS64). They are pushed, the stack pointer changes, and what is popped is
 * another function's. */
#include "stack.h"

#include <stdint.h>
#include <sys/mman.h>

/* A service needs less than 32 KiB, and several times that under a sanitizer.
 * The guard is a page or more on any machine: an overflow ends the process. */
enum { GUARD = 16 * 1024, SIZE = 48 * 1024, SANITIZED = 240 * 1024 };

/* The sanitizers' functions: NULL without them. NOLINTBEGIN: their names */
#define WEAK __attribute__((weak))
WEAK void *__tsan_get_current_fiber(void), *__tsan_create_fiber(unsigned);
WEAK void __tsan_switch_to_fiber(void *, unsigned),
    __tsan_destroy_fiber(void *);
WEAK void __sanitizer_start_switch_fiber(void **, const void *, size_t);
WEAK void __sanitizer_finish_switch_fiber(void *, const void **, size_t *);
/* NOLINTEND */

#if defined __x86_64__ && defined __LP64__ && !defined STACK_UCONTEXT
enum { RETURN = 6, SAVED = 8 }; /* in words, from the pointer */
__asm__(".text\n.globl stack_swap\nstack_swap: endbr64\n"
        "push %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, (%rdi); mov %rsi, %rsp\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret\n");
#elif defined __aarch64__ && defined __LP64__ && !defined STACK_UCONTEXT
enum { RETURN = 11, SAVED = 20 };
__asm__(".text\n.globl stack_swap\n.macro each op\n"
        "\\op x19, x20, [sp]; \\op x21, x22, [sp, #16]\n"
        "\\op x23, x24, [sp, #32]; \\op x25, x26, [sp, #48]\n"
        "\\op x27, x28, [sp, #64]; \\op x29, x30, [sp, #80]\n"
        "\\op d8, d9, [sp, #96]; \\op d10, d11, [sp, #112]\n"
        "\\op d12, d13, [sp, #128]; \\op d14, d15, [sp, #144]\n.endm\n"
        "stack_swap: sub sp, sp, #160\n each stp\n"
        "mov x9, sp; str x9, [x0]; mov sp, x1\n"
        "each ldp\n add sp, sp, #160; ret\n");
#else
#define SWAP_BY_UCONTEXT
#include <ucontext.h>

static void stack_swap(void **from, void *to)
{
    ucontext_t here; /* on the stack that it is about */
    *from = &here;   /* cppcheck-suppress autoVariables */
    swapcontext(&here, to);
}

static void *prepare(char *bottom, size_t size, void (*body)(void))
{
    size -= (sizeof(ucontext_t) + 63) / 64 * 64;
    ucontext_t *context = (void *)(bottom + size);
    getcontext(context);
    context->uc_stack = (stack_t){.ss_sp = bottom, .ss_size = size};
    makecontext(context, body, 0);
    return context;
}
#endif

#ifndef SWAP_BY_UCONTEXT
/* Saves the registers, notes in *from where; takes those that lie at to. */
void stack_swap(void **from, void *to);

static void *prepare(char *bottom, size_t size, void (*body)(void))
{
    uintptr_t *top = (uintptr_t *)(void *)(bottom + size);
    top[RETURN - SAVED] = (uintptr_t)body;
    return top - SAVED;
}
#endif

bool stack_open(struct stack *stack, void (*body)(void))
{
    bool is_sanitized = __tsan_create_fiber || __sanitizer_start_switch_fiber;
    size_t size = is_sanitized ? SANITIZED : SIZE;
    char *memory = mmap(NULL, GUARD + size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    *stack = (struct stack){.bottom = memory + GUARD, .size = size};
    if (mprotect(memory, GUARD, PROT_NONE) == -1) {
        stack_close(stack);
        return false;
    }
    stack->pointer = prepare(stack->bottom, size, body);
    if (__tsan_create_fiber)
        stack->fibre = __tsan_create_fiber(0);
    return true;
}

void stack_close(struct stack *stack)
{
    if (stack->fibre != NULL)
        __tsan_destroy_fiber(stack->fibre);
    munmap(stack->bottom - GUARD, GUARD + stack->size);
}

void stack_entered(struct stack *from)
{
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(NULL, (const void **)&from->bottom,
                                        &from->size);
}

void stack_switch(struct stack *from, struct stack *to)
{
    if (__sanitizer_start_switch_fiber)
        __sanitizer_start_switch_fiber(&from->fake_frames, to->bottom,
                                       to->size);
    if (__tsan_get_current_fiber) {
        from->fibre = __tsan_get_current_fiber();
        __tsan_switch_to_fiber(to->fibre, 0);
    }
    stack_swap(&from->pointer, to->pointer);
    if (__sanitizer_finish_switch_fiber)
        __sanitizer_finish_switch_fiber(from->fake_frames, NULL, NULL);
}
