#include "base/waking.h"

namespace lstmfast::base::team {
namespace {

thread_local Waking waking_now = Waking::worth;
thread_local bool asked_now = false;

}  // namespace

Scope::Scope(Waking waking) noexcept : outer_(waking_now), outer_asked_(asked_now) {
  waking_now = waking;
  asked_now = false;
}

Scope::~Scope() {
  waking_now = outer_;
  asked_now |= outer_asked_;
}

bool Scope::asked() const noexcept { return asked_now; }

Waking ask_for_threads() noexcept {
  asked_now = true;
  return waking_now;
}

}  // namespace lstmfast::base::team
