// Times one step of models from C++, one row on one thread, through the installed library: a loop
// to hold against the same loop over another engine with sizes of the same model.
//
//   python -m benchmarks.step_models models
//   g++ -O2 -std=c++17 benchmarks/step.cpp -o step $(pkg-config --cflags --libs lstmfast)
//   taskset -c 1 ./step models/*
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <lstmfast/lstmfast.hpp>
#include <vector>

namespace {

constexpr int kRounds = 31;
constexpr double kRoundSeconds = 0.005;

// Microseconds of a step, averaged over `count`.
double time_steps(lstmfast::Stream& stream, std::vector<float>& x, std::vector<float>& y,
                  long count) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  for (long k = 0; k < count; ++k) {
    x[0] = 0.1f * static_cast<float>(k % 8);
    stream.step(x.data(), y.data());
  }
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count() /
         static_cast<double>(count);
}

void measure(const char* path) {
  const lstmfast::Model model = lstmfast::Model::load(path);
  lstmfast::Stream stream(model);
  std::vector<float> x(static_cast<std::size_t>(stream.input().count));
  std::vector<float> y(static_cast<std::size_t>(stream.output().count));
  time_steps(stream, x, y, 100);
  const double about = time_steps(stream, x, y, 1000);
  const long count = std::max(1L, static_cast<long>(1e6 * kRoundSeconds / about));
  std::vector<double> rounds(kRounds);
  for (double& round : rounds) round = time_steps(stream, x, y, count);
  std::sort(rounds.begin(), rounds.end());
  std::printf("%-40s %9.4f %9.4f %10.6f\n", path, rounds[kRounds / 2], rounds[0], double{y[0]});
}

}  // namespace

int main(int argc, char** argv) {
  std::printf("%-40s %9s %9s %10s\n", "us a step", "median", "least", "last y");
  for (int i = 1; i < argc; ++i) {
    try {
      measure(argv[i]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "step: %s\n", error.what());
      return 1;
    }
  }
}
