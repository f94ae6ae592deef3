/*
 * Where the kernel enters a statically linked program: before libc's own start,
 * which relocates it, the pages that will be touched are asked for at once.
 * One after the other they would cost a page fault each: 30 for genkan-ftpd,
 * 100 for OpenSSL's tables in genkan-ftpd-tls (pages.h says what that means).
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
#define STACK 40960

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
        POPULATE("__ehdr_start", "near_code_end", POPULATE_READ) /* it reads its own headers */
        POPULATE("near_constants_begin", "near_constants_end", POPULATE_READ)
        POPULATE("__preinit_array_start", "near_written_end", POPULATE_WRITE)
        POPULATE_STACK
        "	mov	%r12, %rdx\n"
        "	jmp	_start\n"
        ".size near_entry, . - near_entry\n"
        ".popsection\n");
