// Checks of what callers hand in, the message built on failure only; must not know what is checked.
#pragma once

#include <cassert>
#include <locale>
#include <sstream>
#include <stdexcept>

#if defined(__GNUC__)
#define LF_COLD __attribute__((cold, noinline))
#define LF_LIKELY(cond) __builtin_expect(static_cast<bool>(cond), 1)
#else
#define LF_COLD
#define LF_LIKELY(cond) static_cast<bool>(cond)
#endif

namespace lstmfast::base {

// write(stream) writes the message. Out of line, so that a check costs its caller one compare and
// jump.
template <class Write>
[[noreturn]] LF_COLD void throw_invalid(const Write& write) {
  std::ostringstream out;
  out.imbue(std::locale::classic());  // a program's own locale would put separators into sizes
  write(out);
  throw std::invalid_argument(out.str());
}

}  // namespace lstmfast::base

// LF_FAIL("[op] kind is " << kind << "; expected one of " << names): throws std::invalid_argument.
#define LF_FAIL(message) \
  ::lstmfast::base::throw_invalid([&](std::ostream& lf_out) { lf_out << message; })

// LF_CHECK(cond, message): LF_FAIL(message) unless cond holds. The message is a chain of <<
// operands; put an operand that is itself an expression with ?:, && or a comparison in parentheses.
#define LF_CHECK(cond, message) \
  do {                          \
    if (!LF_LIKELY(cond)) {     \
      LF_FAIL(message);         \
    }                           \
  } while (false)

// LF_ASSERT(cond): a precondition between functions of the core, checked in debug builds only.
#ifdef NDEBUG
#define LF_ASSERT(cond) static_cast<void>(sizeof((cond) ? 1 : 0))
#else
#define LF_ASSERT(cond) assert(cond)
#endif
