// A model that makes a sample of a sample and up to three knobs, run on blocks of audio. It must
// not know where the audio comes from.
#ifndef LSTMFAST_EXAMPLES_AMPLIFIER_H_
#define LSTMFAST_EXAMPLES_AMPLIFIER_H_

#include <algorithm>
#include <cstddef>
#include <lstmfast/lstmfast.hpp>
#include <stdexcept>
#include <string>
#include <vector>

class Amplifier {
 public:
  // Channels are rows of one stream, each with a state of its own. Throws std::runtime_error for
  // a file that is no such model.
  Amplifier(const std::string& path, std::size_t channels, std::size_t block)
      : stream_(lstmfast::Model::load(path), static_cast<std::int64_t>(channels)),
        channels_(channels),
        block_(block) {
    const lstmfast::Port in = stream_.input(), out = stream_.output();
    if (stream_.inputs() != 1 || stream_.outputs() != 1 || !in.steps || !out.steps || in.ids > 0 ||
        in.count < 1 || in.count > 4 || out.count != 1 || stream_.dtype() != LSTMFAST_FLOAT32) {
      throw std::runtime_error(
          path + ": expected a float32 model that takes 1 to 4 numbers a step " + "and makes 1");
    }
    knobs_ = static_cast<std::size_t>(in.count) - 1;
    x_.resize(channels * block * (1 + knobs_));
    y_.resize(channels * block);
  }

  // The next samples: in and out [channels][samples], which may be the same memory; knobs (3) from
  // 0 to 1, of which the model takes as many as it knows. Allocates nothing, takes no lock.
  void process(const float* const* in, float* const* out, std::size_t samples,
               const float* knobs) noexcept {
    for (std::size_t start = 0; start < samples; start += block_) {
      const std::size_t count = std::min(block_, samples - start);
      float* x = x_.data();
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        for (std::size_t t = 0; t < count; ++t) {
          *x++ = in[channel][start + t];
          x = std::copy_n(knobs, knobs_, x);
        }
      }
      stream_.process(static_cast<std::int64_t>(count), x_.data(), y_.data());
      for (std::size_t channel = 0; channel < channels_; ++channel) {
        std::copy_n(&y_[channel * count], count, out[channel] + start);
      }
    }
  }

  void reset() noexcept { stream_.reset(); }

 private:
  lstmfast::Stream stream_;
  std::size_t channels_, block_, knobs_ = 0;
  std::vector<float> x_;  // [channels][block][1 + knobs]
  std::vector<float> y_;  // [channels][block]
};

#endif  // LSTMFAST_EXAMPLES_AMPLIFIER_H_
