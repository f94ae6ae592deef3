/*
 * Where the kernel enters a statically linked program: before libc's own start,
 * which relocates it, the pages that will be written are asked for at once.
 * One after the other they would cost a page fault each: 15 for genkan-ftpd,
 * 50 for OpenSSL's tables in genkan-ftpd-tls (pages.h says what that means).
 * So are those of code and constants, but only where the first fault shows that
 * faults are dear: else Linux, which maps 16 such pages at each, does it for less.
 * What the first fault has shown is left for pages.c.
 *
 * Nothing of C is there yet: no stack protector, no addresses in tables. For
 * x86-64, and where the linker takes layout.ld; other programs enter at _start.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

/* Linux 5.14; older kernels answer EINVAL, which nobody reads. */
#define POPULATE_READ  22
#define POPULATE_WRITE 23

#define TEXT(x)   #x
#define NUMBER(x) TEXT(x)

/* madvise(begin & -4096, end - begin & -4096, how); the symbols are those of layout.ld or configure */
#define POPULATE(begin, end, how)                                                                  \
	"	lea	" begin "(%rip), %rdi\n"                                                  \
	"	lea	" end "(%rip), %rsi\n"                                                    \
	"	and	$-4096, %rdi\n"                                                           \
	"	sub	%rdi, %rsi\n"                                                             \
	"	mov	$" NUMBER(how) ", %edx\n"                                                 \
	"	mov	$" NUMBER(__NR_madvise) ", %eax\n"                                        \
	"	syscall\n"

/* What is used of the stack up to the greeting and the fork, in bytes. */
#define STACK 24576

/* Processor cycles that a cheap page fault does not take, and a dear one by far exceeds. */
#define DEAR 20000

/* rax = cycles since the processor was started; changes rdx */
#define CYCLES                                                                                     \
	"	rdtsc\n"                                                                          \
	"	shl	$32, %rdx\n"                                                             \
	"	or	%rdx, %rax\n"

/* madvise(rsp - STACK & -4096, STACK, POPULATE_WRITE) */
#define POPULATE_STACK                                                                             \
	"	lea	-" NUMBER(STACK) "(%rsp), %rdi\n"                                         \
	"	and	$-4096, %rdi\n"                                                           \
	"	mov	$" NUMBER(STACK) ", %esi\n"                                               \
	"	mov	$" NUMBER(POPULATE_WRITE) ", %edx\n"                                      \
	"	mov	$" NUMBER(__NR_madvise) ", %eax\n"                                        \
	"	syscall\n"

__asm__(".pushsection .text.near_entry, \"ax\", @progbits\n"
        ".globl near_entry\n"
        ".type near_entry, @function\n"
        "near_entry:\n"
        "	endbr64\n"
        "	mov	%rdx, %r12\n" /* for _start: what the loader wants done at exit */
        CYCLES
        "	mov	%rax, %r13\n"
        "	cmpb	$0, __ehdr_start(%rip)\n" /* the program will read its own headers */
        CYCLES
        "	sub	%r13, %rax\n"
        "	cmp	$" NUMBER(DEAR) ", %rax\n"
        "	setae	%bl\n"
        "	jb	1f\n"
        POPULATE("__ehdr_start", "near_code_end", POPULATE_READ)
        POPULATE("near_constants_begin", "near_constants_end", POPULATE_READ)
        "1:\n"
        POPULATE("__preinit_array_start", "near_written_end", POPULATE_WRITE)
        POPULATE_STACK
        "	mov	%bl, pages_are_dear(%rip)\n"
        "	mov	%r12, %rdx\n"
        "	jmp	_start\n"
        ".size near_entry, . - near_entry\n"
        ".popsection\n");
