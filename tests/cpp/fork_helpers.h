// Work in a child made by fork, for tests.
#pragma once

// TSan cannot follow threads started in the child of a threaded program.
#if defined(__SANITIZE_THREAD__)
#define FORK_TESTS 0
#elif defined(__has_feature)
#define FORK_TESTS !__has_feature(thread_sanitizer)
#else
#define FORK_TESTS 1
#endif

#if FORK_TESTS

#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

namespace lstmfast {

// The exit code of body() run in a child, or 100 when the child hangs or dies.
template <class Body>
int in_child(const Body& body) {
  std::cout.flush();  // or a child that exits prints it again
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
    ::_exit(body());
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return 100;
  return WEXITSTATUS(status);
}

}  // namespace lstmfast

#endif
