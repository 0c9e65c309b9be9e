// What kind of error an exception of the core is, for bindings that report errors by exceptions or
// codes of another language. Knows no language.
#pragma once

#include <exception>

namespace lstmfast::api {

enum class ErrorKind {
  type,            // an argument has the wrong type
  value,           // an argument or a file has the wrong content
  memory,          // there is not enough
  os,              // the system refused
  floating_point,  // a loss or gradient is infinite or NaN
  runtime          // everything else: a call at the wrong time
};

// An exception of a callback of the caller's is not the core's: callers look for their own first.
ErrorKind kind_of(const std::exception& error) noexcept;

// The system's errno where the kind is `os`, else 0.
int system_errno(const std::exception& error) noexcept;

}  // namespace lstmfast::api
