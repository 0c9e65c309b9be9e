// Plays a WAV file through a model, block by block as an audio device does, and times each block.
//
//   process_wav sounds/amp.safetensors sounds/dry.wav sounds/out.wav --drive 0.8 --block 64
//
// Takes what train_amp.py has trained, and any model file of lstmfast that makes a sample of a
// sample and up to three knobs. What examples/amp/process_wav.py writes has the same bits.

#include <chrono>
#include <cstdio>

#include "amplifier.h"
#include "arguments.h"
#include "wav.h"

namespace {

constexpr char kUsage[] =
    "usage: process_wav MODEL SOURCE OUT [--block SAMPLES] [--drive X] [--tone X] [--level X]\n"
    "knobs go from 0 to 1 and are at 0.5; a block has 64 samples";

// Replaces the samples by the model's. Returns the microseconds of each block, in order.
std::vector<double> process(Amplifier& amplifier, Wav& wav, std::size_t block, const float* knobs) {
  using Clock = std::chrono::steady_clock;
  const std::size_t samples = wav.channels[0].size();
  std::vector<double> times;
  times.reserve(samples / block + 1);
  std::vector<float*> at;
  for (auto& channel : wav.channels) at.push_back(channel.data());
  for (std::size_t start = 0; start < samples; start += block) {
    const std::size_t count = std::min(block, samples - start);
    const auto begin = Clock::now();
    amplifier.process(at.data(), at.data(), count, knobs);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    for (float*& pointer : at) pointer += count;
  }
  return times;
}

void report(std::vector<double> times, double seconds, double block) {
  double total = 0;
  for (const double time : times) total += time;
  std::sort(times.begin(), times.end());
  const auto at = [&](double part) {
    return times[static_cast<std::size_t>(std::ceil(part * static_cast<double>(times.size() - 1)))];
  };
  std::printf("%.1f s of sound at %.4f of real time\n", seconds, 1e-6 * total / seconds);
  std::printf("a block of %.0f us takes %.1f us (median), %.1f us (99.99 %%), %.1f us (worst)\n",
              1e6 * block, at(0.5), at(0.9999), at(1));
}

}  // namespace

int main(int count, char** words) try {
  auto [files, numbers] = read_arguments(
      count, words, 3, {{"--block", 64}, {"--drive", 0.5}, {"--tone", 0.5}, {"--level", 0.5}},
      kUsage);
  if (!(numbers["--block"] >= 1 && numbers["--block"] <= 1 << 20)) {
    throw std::runtime_error("--block: expected 1 to 1048576 samples");
  }
  const auto block = static_cast<std::size_t>(numbers["--block"]);
  const float knobs[] = {static_cast<float>(numbers["--drive"]),
                         static_cast<float>(numbers["--tone"]),
                         static_cast<float>(numbers["--level"])};

  Wav wav = read_wav(files[1]);
  Amplifier amplifier(files[0], wav.channels.size(), block);
  const std::vector<double> times = process(amplifier, wav, block, knobs);
  write_wav(files[2], wav);
  report(times, static_cast<double>(wav.channels[0].size()) / wav.rate,
         static_cast<double>(block) / wav.rate);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
