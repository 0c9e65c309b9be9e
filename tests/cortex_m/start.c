/* Start-up of a Cortex-M4F on QEMU's mps2-an386, and what main.c needs of the host, by
 * semihosting: text on standard output, and the end of the process. */
#include <stdint.h>
#include <string.h>

#include "host.h"

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end;
int main(void);
void reset(void);

static int call_host(int operation, const void* argument) {
  register int r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

void host_write(const char* text) { call_host(0x04, text); }

void host_exit(int failed) {
  call_host(0x18, (const void*)(failed ? 0x20023u : 0x20026u));
  for (;;) continue;
}

static void fault(void) {
  host_write("fault\n");
  host_exit(1);
}

void reset(void) {
  *(volatile uint32_t*)0xe000ed88u |= 0xfu << 20; /* CPACR: the floating-point unit on */
  __asm__ volatile("dsb\nisb");
  memcpy(&data_start, &data_load, (size_t)((char*)&data_end - (char*)&data_start));
  memset(&bss_start, 0, (size_t)((char*)&bss_end - (char*)&bss_start));
  host_exit(main());
}

/* The initial stack pointer, then the handlers of reset, NMI and the faults. */
__attribute__((section(".vectors"), used)) static const struct {
  const uint32_t* stack;
  void (*handlers[6])(void);
} vectors = {&stack_top, {reset, fault, fault, fault, fault, fault}};
