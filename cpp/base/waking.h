// Whether runs of a thread wake sleeping workers of the team; must not know the team.
#pragma once

#include "base/no_copy.h"

namespace lstmfast::base::team {

// worth (the default): wakes workers where the work is worth it; always: wakes all; never: runs on
// the caller's thread alone.
enum class Waking { worth, always, never };

// Sets it for the thread that makes the object, while that lives.
class Scope : NoCopy {
 public:
  explicit Scope(Waking waking) noexcept;
  ~Scope();

  // Whether a run in this scope has asked for more than one thread.
  bool asked() const noexcept;

 private:
  Waking outer_;
  bool outer_asked_;
};

// Called by a run that asks for more than one thread; returns the thread's setting.
Waking ask_for_threads() noexcept;

}  // namespace lstmfast::base::team
