// Tells a forked child from its parent without a system call.
#pragma once

#include <cstdint>

namespace lstmfast::base {

// How many forks lie between this process and the one that loaded the core, so that a child has
// another number than its parent.
std::uint32_t fork_count() noexcept;

}  // namespace lstmfast::base
