#include "api/errors.h"

#include <new>
#include <stdexcept>
#include <system_error>

#include "base/options.h"
#include "model/trainer.h"

namespace lstmfast::api {
namespace {

template <class E>
bool is(const std::exception& error) {
  return dynamic_cast<const E*>(&error) != nullptr;
}

struct Row {
  bool (*matches)(const std::exception&);
  ErrorKind kind;
};

// The first row that matches decides.
constexpr Row kRows[] = {
    {&is<std::bad_alloc>, ErrorKind::memory},           {&is<std::system_error>, ErrorKind::os},
    {&is<model::NonFinite>, ErrorKind::floating_point}, {&is<base::WrongType>, ErrorKind::type},
    {&is<std::logic_error>, ErrorKind::value},  // std::invalid_argument is one
};

}  // namespace

ErrorKind kind_of(const std::exception& error) noexcept {
  for (const Row& row : kRows) {
    if (row.matches(error)) return row.kind;
  }
  return ErrorKind::runtime;
}

int system_errno(const std::exception& error) noexcept {
  const auto* system = dynamic_cast<const std::system_error*>(&error);
  return system == nullptr ? 0 : system->code().value();
}

}  // namespace lstmfast::api
