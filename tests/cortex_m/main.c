/* Steps through the inputs of case.h and writes the bits of each answer in hexadecimal, a line a
 * step; last, the bytes of stack that the deepest step has used. */
#include <stdint.h>
#include <string.h>

#include "case.h" /* STEPS, INPUTS, OUTPUTS, input_bits, STATE, RESET, STEP */
#include "host.h"

enum { PAINTED = 4096 };
static const uint8_t paint = 0xa5;

static void write_hex(uint32_t value, char end) {
  char text[10];
  for (int k = 0; k < 8; ++k) text[k] = "0123456789abcdef"[value >> (28 - 4 * k) & 15u];
  text[8] = end;
  text[9] = 0;
  host_write(text);
}

/* The memory below this function's frame, down to which nothing else is called. */
static __attribute__((noinline)) void paint_stack(void) {
  volatile uint8_t* const below = (uint8_t*)__builtin_frame_address(0) - 64;
  for (int k = 0; k < PAINTED; ++k) below[-k] = paint;
}

static __attribute__((noinline)) uint32_t bytes_used(const uint8_t* from) {
  const volatile uint8_t* lowest = from - PAINTED / 2;
  while (*lowest == paint) ++lowest;
  return (uint32_t)(from - lowest);
}

int main(void) {
  static STATE state;
  static float x[INPUTS], y[OUTPUTS];
  uint32_t most = 0;
  RESET(&state);
  for (int t = 0; t < STEPS; ++t) {
    memcpy(x, input_bits[t], sizeof x);
    paint_stack();
    const uint8_t* stack;
    __asm__ volatile("mov %0, sp" : "=r"(stack));
    STEP(&state, x, y);
    const uint32_t used = bytes_used(stack);
    if (used > most) most = used;
    for (int k = 0; k < OUTPUTS; ++k) {
      uint32_t bits;
      memcpy(&bits, &y[k], sizeof bits);
      write_hex(bits, k + 1 < OUTPUTS ? ' ' : '\n');
    }
  }
  write_hex(most, '\n');
  return 0;
}
