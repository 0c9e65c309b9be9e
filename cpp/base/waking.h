// What a thread wants its runs on the team to do about workers who sleep; must not know the team.
#pragma once

namespace lstmfast::base::team {

// Wake those whom the work is worth (the default), all, or none, and then run on the caller's
// thread alone.
enum class Waking { worth, always, never };

// In force on the thread that makes it, for the life of the object.
class Scope {
 public:
  explicit Scope(Waking waking) noexcept;
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  // Whether any run so far asked for more than one thread.
  bool asked() const noexcept;

 private:
  Waking outer_;
  bool outer_asked_;
};

// A run of this thread asks for more than one thread: what it shall do.
Waking ask_for_threads() noexcept;

}  // namespace lstmfast::base::team
