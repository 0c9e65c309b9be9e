// The C interface: what belongs to no handle.
#include <algorithm>
#include <cstring>

#include "api/c/handles.h"
#include "base/team.h"

namespace lstmfast::api::c {
namespace {

thread_local char error_text[1024] = "";

}  // namespace

lstmfast_status fail(lstmfast_status status, const char* message) noexcept {
  const std::size_t size = std::min(std::strlen(message), sizeof error_text - 1);
  std::memcpy(error_text, message, size);
  error_text[size] = '\0';
  return status;
}

extern "C" {

int32_t lstmfast_abi_version() noexcept { return LSTMFAST_ABI_VERSION; }
const char* lstmfast_version() noexcept { return LSTMFAST_VERSION; }
const char* lstmfast_error_message() noexcept { return error_text; }

lstmfast_status lstmfast_set_num_threads(int32_t threads) noexcept {
  return guarded([&] { base::team::set_num_threads(threads); });
}

}  // extern "C"

}  // namespace lstmfast::api::c
