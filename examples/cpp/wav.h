// WAV files: PCM of 16, 24 or 32 bits and floats of 32 bits, with any number of channels.
#ifndef LSTMFAST_EXAMPLES_WAV_H_
#define LSTMFAST_EXAMPLES_WAV_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

struct Wav {
  std::uint32_t rate = 0;  // samples per second
  bool is_float = false;
  std::uint32_t bytes = 2;                   // of a sample
  std::vector<std::vector<float>> channels;  // [channels][samples], from -1 to 1
};

namespace wav_detail {

constexpr std::uint32_t kPcm = 1, kFloat = 3, kExtensible = 0xFFFE;

// Of up to four bytes, the lowest first.
inline std::uint32_t number(const char* from, std::uint32_t bytes) {
  std::uint32_t value = 0;
  for (std::uint32_t k = 0; k < bytes; ++k) {
    value |= std::uint32_t{static_cast<unsigned char>(from[k])} << (8 * k);
  }
  return value;
}

inline void append(std::string& to, std::uint32_t value, std::uint32_t bytes) {
  for (std::uint32_t k = 0; k < bytes; ++k) to.push_back(static_cast<char>(value >> (8 * k)));
}

inline float sample(const char* from, const Wav& wav) {
  const std::uint32_t bits = number(from, wav.bytes);
  float value;
  if (wav.is_float) {
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  // as the upper bytes of four
  return static_cast<float>(static_cast<std::int32_t>(bits << (32 - 8 * wav.bytes))) / 0x1p31F;
}

}  // namespace wav_detail

// Throws std::runtime_error for a file that cannot be read or has another format.
inline Wav read_wav(const std::string& path) {
  using namespace wav_detail;
  std::ifstream file(path, std::ios::binary);
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  if (!file) throw std::runtime_error(path + ": cannot be read");
  if (all.size() < 12 || all.compare(0, 4, "RIFF") != 0 || all.compare(8, 4, "WAVE") != 0) {
    throw std::runtime_error(path + ": expected a WAV file");
  }
  Wav wav;
  for (std::size_t at = 12; at + 8 <= all.size();) {
    const std::string name = all.substr(at, 4);
    const std::size_t told = number(&all[at + 4], 4);
    const char* const chunk = all.data() + at + 8;
    const std::size_t size = std::min(told, all.size() - at - 8);  // cut short: what there is
    if (name == "fmt " && size >= 16) {
      std::uint32_t format = number(chunk, 2);
      if (format == kExtensible && size >= 26) format = number(chunk + 24, 2);
      wav.channels.resize(number(chunk + 2, 2));
      wav.rate = number(chunk + 4, 4);
      wav.bytes = number(chunk + 14, 2) / 8;
      wav.is_float = format == kFloat;
      const bool known = wav.is_float ? wav.bytes == 4 : format == kPcm;
      if (!known || wav.bytes < 2 || wav.bytes > 4) {
        throw std::runtime_error(path + ": expected PCM of 16, 24 or 32 bits or floats of 32 bits");
      }
    } else if (name == "data" && !wav.channels.empty()) {
      const std::size_t samples = size / (wav.channels.size() * wav.bytes);
      const char* from = chunk;
      for (std::size_t t = 0; t < samples; ++t) {
        for (auto& channel : wav.channels) {
          channel.push_back(sample(from, wav));
          from += wav.bytes;
        }
      }
      if (samples > 0) return wav;
    }
    at += 8 + told + told % 2;
  }
  throw std::runtime_error(path + ": has no samples");
}

// Writes floats where wav has them, else PCM: 16 bits, or 24 where wav has more; there, what is
// beyond -1 and 1 is cut. Throws std::runtime_error.
inline void write_wav(const std::string& path, const Wav& wav) {
  using namespace wav_detail;
  const std::uint32_t bytes = wav.is_float ? 4 : std::min(wav.bytes, 3U);
  const float most = bytes == 2 ? 0x7FFF : 0x7FFFFF;
  const auto channels = static_cast<std::uint32_t>(wav.channels.size());
  const auto size = static_cast<std::uint32_t>(wav.channels.at(0).size()) * channels * bytes;
  std::string all = "RIFF";
  append(all, 36 + size + size % 2, 4);
  all += "WAVEfmt ";
  append(all, 16, 4);
  append(all, wav.is_float ? kFloat : kPcm, 2);
  append(all, channels, 2);
  append(all, wav.rate, 4);
  append(all, wav.rate * channels * bytes, 4);
  append(all, channels * bytes, 2);
  append(all, 8 * bytes, 2);
  all += "data";
  append(all, size, 4);
  for (std::size_t t = 0; t < wav.channels[0].size(); ++t) {
    for (const auto& channel : wav.channels) {
      std::uint32_t bits;
      if (wav.is_float) {
        std::memcpy(&bits, &channel[t], sizeof bits);
      } else {
        const float cut = std::clamp(channel[t], -1.0F, 1.0F);
        bits = static_cast<std::uint32_t>(std::lrint(cut * most));
      }
      append(all, bits, bytes);
    }
  }
  if (size % 2 == 1) all.push_back('\0');
  std::ofstream file(path, std::ios::binary);
  if (!file.write(all.data(), static_cast<std::streamsize>(all.size())).flush()) {
    throw std::runtime_error(path + ": cannot be written");
  }
}

#endif  // LSTMFAST_EXAMPLES_WAV_H_
