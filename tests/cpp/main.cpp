// Runs the cases of one test file; skips (77) where LSTMFAST_ISA names an ISA that this CPU lacks.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

#include "kernels/table.h"

int main(int argc, char** argv) {
  using namespace lstmfast::kernels;
  if (isa_status() == IsaStatus::unsupported) {
    std::printf("skipped: this CPU has no %s\n", requested_isa());
    return 77;
  }
  return doctest::Context(argc, argv).run();
}
