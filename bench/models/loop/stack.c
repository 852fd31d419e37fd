/* Switching stacks by hand. A caller has saved what a call may change, so what
 * is left are the registers that a function must preserve: six on x86-64
 * (System V ABI), twenty on aarch64 (AAPCS64). They are pushed, the stack
 * pointer changes, and what is popped is another function's. */

#include "stack.h"

#include <stdint.h>
#include <sys/mman.h>

#ifdef __has_feature /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#elif __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#elif defined __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* A service needs less than 32 KiB, and several times that under a sanitizer.
 * The guard is at least a page on any machine: an overflow ends the process. */
enum { GUARD_SIZE = 16 * 1024 };
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__
enum { MAPPED_SIZE = 256 * 1024 };
#else
enum { MAPPED_SIZE = 64 * 1024 };
#endif

#ifndef STACK_UCONTEXT
/* Saves the registers, notes in *from where; takes those that lie at to. */
void stack_switch_registers(void **from, void *to) __asm__("stack_switch_asm");
__asm__(".text\n.globl stack_switch_asm\nstack_switch_asm:\n");
#ifdef __x86_64__
enum { RETURN = 6, TOP = 8 }; /* in words, from the pointer */
__asm__("endbr64\n"
        "pushq %rbp\n pushq %rbx\n"
        "pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        "movq %rsp, (%rdi)\n"
        "movq %rsi, %rsp\n"
        "popq %r15\n popq %r14\n popq %r13\n popq %r12\n"
        "popq %rbx\n popq %rbp\n"
        "ret\n");
#else
enum { RETURN = 11, TOP = 20 }; /* in words, from the pointer */
__asm__("sub sp, sp, #160\n"
        "stp x19, x20, [sp]\n stp x21, x22, [sp, #16]\n"
        "stp x23, x24, [sp, #32]\n stp x25, x26, [sp, #48]\n"
        "stp x27, x28, [sp, #64]\n stp x29, x30, [sp, #80]\n"
        "stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n"
        "stp d12, d13, [sp, #128]\n stp d14, d15, [sp, #144]\n"
        "mov x9, sp\n"
        "str x9, [x0]\n"
        "mov sp, x1\n"
        "ldp x19, x20, [sp]\n ldp x21, x22, [sp, #16]\n"
        "ldp x23, x24, [sp, #32]\n ldp x25, x26, [sp, #48]\n"
        "ldp x27, x28, [sp, #64]\n ldp x29, x30, [sp, #80]\n"
        "ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n"
        "ldp d12, d13, [sp, #128]\n ldp d14, d15, [sp, #144]\n"
        "add sp, sp, #160\n"
        "ret\n"); /* to x30 */
#endif
#endif

static void prepare(struct stack *stack, void (*body)(void))
{
#ifdef STACK_UCONTEXT
    getcontext(&stack->context); /* cannot fail where it exists */
    stack->context.uc_stack.ss_sp = stack->bottom;
    stack->context.uc_stack.ss_size = stack->size;
    makecontext(&stack->context, body, 0);
#else
    uintptr_t *registers = (uintptr_t *)(void *)stack - TOP;
    registers[RETURN] = (uintptr_t)body;
    stack->pointer = registers;
#endif
#ifdef __SANITIZE_THREAD__
    stack->fibre = __tsan_create_fiber(0);
#endif
}

void *stack_new(size_t size, void (*body)(void))
{
    char *memory = mmap(NULL, MAPPED_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (mprotect(memory, GUARD_SIZE, PROT_NONE) == -1) {
        munmap(memory, MAPPED_SIZE);
        return NULL;
    }
    char *top = memory + MAPPED_SIZE - (size + 63) / 64 * 64;
    struct stack *stack = (struct stack *)(void *)top;
    stack->bottom = memory + GUARD_SIZE;
    stack->size = (size_t)(top - stack->bottom);
    prepare(stack, body);
    return stack;
}

void stack_free(struct stack *stack)
{
#ifdef __SANITIZE_THREAD__
    __tsan_destroy_fiber(stack->fibre);
#endif
    munmap(stack->bottom - GUARD_SIZE, MAPPED_SIZE);
}

void stack_entered(struct stack *from)
{
#ifdef __SANITIZE_ADDRESS__
    const void *bottom;
    __sanitizer_finish_switch_fiber(NULL, &bottom, &from->size);
    from->bottom = (char *)(uintptr_t)bottom;
#else
    (void)from;
#endif
}

void stack_switch(struct stack *from, struct stack *to)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&from->fake_frames, to->bottom, to->size);
#elif defined __SANITIZE_THREAD__
    from->fibre = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fibre, 0);
#endif
#ifdef STACK_UCONTEXT
    swapcontext(&from->context, &to->context);
#else
    stack_switch_registers(&from->pointer, to->pointer);
#endif
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(from->fake_frames, NULL, NULL);
#endif
}
