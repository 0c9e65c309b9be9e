// Which process this is, by the forks that led to it; asking the system costs a call each time.
#pragma once

#include <cstdint>

namespace lstmfast::base {

// How many forks lie between this process and the one that loaded the core: another number in a
// child than in its parent.
std::uint32_t fork_count() noexcept;

}  // namespace lstmfast::base
