// The C interface: what belongs to no handle.
#include <memory>
#include <new>
#include <string>

#include "api/c/handles.h"
#include "base/team.h"

namespace lstmfast::api::c {
namespace {

// Small, for all variables of threads lie in memory that shared libraries have little of: see Alone
// in base/team.cpp.
thread_local std::unique_ptr<std::string> error_text;

}  // namespace

lstmfast_status fail(lstmfast_status status, const char* message) noexcept {
  try {
    error_text = std::make_unique<std::string>(message);
  } catch (const std::bad_alloc&) {
    error_text.reset();
  }
  return status;
}

extern "C" {

int32_t lstmfast_abi_version() noexcept { return LSTMFAST_ABI_VERSION; }
const char* lstmfast_version() noexcept { return LSTMFAST_VERSION; }
const char* lstmfast_error_message() noexcept {
  return error_text != nullptr ? error_text->c_str() : "";
}

lstmfast_status lstmfast_set_num_threads(int32_t threads) noexcept {
  return guarded([&] { base::team::set_num_threads(threads); });
}

}  // extern "C"

}  // namespace lstmfast::api::c
