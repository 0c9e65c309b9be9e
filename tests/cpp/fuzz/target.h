// What the fuzz targets share. Each target defines LLVMFuzzerTestOneInput: with libFuzzer
// (LSTMFAST_FUZZ) it is searched for inputs that break it; without, replay.cpp gives it the corpus.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace lstmfast::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the process, as a crash does, where something that must hold does not.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// Runs a reader, which may refuse its input by std::invalid_argument and by nothing else; whether
// it took the input.
template <class Read>
bool accepts(Read read) {
  try {
    read();
  } catch (const std::invalid_argument&) {
    return false;
  }
  return true;
}

}  // namespace lstmfast::fuzz
